import { readFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { ChunkedUploadError } from '../../src/client/index.js';
import { UPLOAD_ERROR_CODES } from '../../src/errors/upload-error-code.js';
import { ERROR_WORDS, wordsFor } from '../../src/ui/page/error-words.js';

const codesIn = (text: string, pattern: RegExp): string[] =>
  [...text.matchAll(pattern)].map(([, code = '']) => code);

describe('the words for errors', () => {
  it('has some for every code, of the server, of its documentation and of the client', async () => {
    const documented = codesIn(await readFile('docs/errors.md', 'utf8'), /^\| `(\w+)`/gm);
    const source = await readFile('src/client/chunked-upload-error.ts', 'utf8');
    const own = codesIn(source, /^ \* - `(\w+)`:/gm);
    expect(own).toContain('source_mismatch');
    const codes = [...new Set([...UPLOAD_ERROR_CODES, ...documented, ...own])];
    expect(codes.filter((code) => !(code in ERROR_WORDS))).toEqual([]);
    expect(Object.keys(ERROR_WORDS).filter((code) => !codes.includes(code))).toEqual([]);
  });

  it('is in sentences, without the words of programmers', () => {
    for (const words of Object.values(ERROR_WORDS)) {
      expect(words).toMatch(/^[A-Z][^_]*[.?!]$/);
      expect(words).not.toMatch(/offset|chunk|byte range|header|HTTP|null|undefined/i);
    }
  });

  it('names limits, the reasons of the app, and what a status without a code means', () => {
    const words = (code: string, details: ConstructorParameters<typeof ChunkedUploadError>[2]) =>
      wordsFor(new ChunkedUploadError(code, 'message', details));
    expect(words('too_large', { problem: { limit_bytes: 2_000_000_000 } })).toBe(
      'The file is too large: at most 2 GB.',
    );
    expect(words('too_small', { problem: { limit_bytes: 10 } })).toBe(
      'The file is too small: at least 10 bytes.',
    );
    expect(words('refused', { problem: { detail: 'No cats on Mondays.' } })).toBe('No cats on Mondays.');
    expect(words('http', { status: 401 })).toMatch(/signed out/);
    expect(words('http', { status: 502 })).toMatch(/\(502\)/);
    expect(words('new_code', {})).toBe('Something went wrong: message');
  });
});
