import { readFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { ChunkedUploadError } from '../../src/client/index.js';
import { UPLOAD_ERROR_CODES } from '../../src/errors/upload-error-code.js';
import { canTryAgain, ERROR_WORDS, whatHappened, wordsFor } from '../../src/ui/page/error-words.js';

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
    expect(words('new_code', {})).toBe('Something went wrong (message). Try again in a moment.');
  });

  it('offers to try again where docs/errors.md does not say that it is of no use', async () => {
    const table = await readFile('docs/errors.md', 'utf8');
    const ways = [...table.matchAll(/^\| `(\w+)`.*\| *([^|]+?) *\|$/gm)].map(([, code = '', way = '']) => ({
      code,
      way,
    }));
    expect(ways.length).toBe(UPLOAD_ERROR_CODES.length);
    const mayHelp = ways.filter(({ way }) => /retry|seek|restart/.test(way)).map(({ code }) => code);
    const offered = ways
      .map(({ code }) => code)
      .filter((code) => canTryAgain(new ChunkedUploadError(code, '')));
    // A piece that was cut on the way, and an upload that another tab went on with, may be whole the next time.
    expect(offered.sort()).toEqual([...mayHelp, 'length_mismatch', 'taken_over'].sort());
  });

  it.each([
    [401, true],
    [403, false],
    [404, false],
    [413, false],
    [429, true],
    [502, true],
  ])('offers to try again after a mere %d: %s', (status, isOffered) => {
    expect(canTryAgain(new ChunkedUploadError('http', '', { status }))).toBe(isOffered);
  });

  it('asks nobody to try again while the page does so by itself', () => {
    for (const code of Object.keys(ERROR_WORDS))
      expect(whatHappened(new ChunkedUploadError(code, 'message'))).not.toMatch(/try again/i);
  });
});
