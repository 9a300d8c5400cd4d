import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { UploadError } from '../errors/upload-error.js';
import { hasExtension, toFilename } from './file-name.js';

function refusal(raw: string, maxBytes = 255): UploadError {
  try {
    toFilename(raw, maxBytes);
  } catch (error) {
    if (UploadError.is(error, 'filename_invalid')) return error;
    throw error;
  }
  throw new Error(`${JSON.stringify(raw.slice(0, 80))} was accepted`);
}

describe('toFilename', () => {
  it.each([
    ['report.pdf', 'report.pdf'],
    ['naïve 漢字 😀.txt', 'naïve 漢字 😀.txt'],
    ['a  b.txt', 'a  b.txt'],
    ['-rf', '-rf'],
    ['CON', 'CON'],
    ['.bashrc', '.bashrc'],
    ['...', '...'],
    ['file.', 'file.'],
    ['%2e%2e%2f', '%2e%2e%2f'],
    ['<script>alert(1)</script>.html', 'script>.html'],
    ["'; DROP TABLE chunked_upload; --", "'; DROP TABLE chunked_upload; --"],
    ['__proto__', '__proto__'],
  ])('shows %j', (raw, filename) => {
    expect(toFilename(raw, 255)).toBe(filename);
  });

  it.each([
    ['../../etc/passwd', 'passwd'],
    ['/etc/passwd', 'passwd'],
    ['C:\\fakepath\\a.txt', 'a.txt'],
    ['..\\..\\a.txt', 'a.txt'],
    ['a/b\\c.txt', 'c.txt'],
    ['a\\b/c.txt', 'c.txt'],
  ])('keeps the last segment of %j', (raw, filename) => {
    expect(toFilename(raw, 255)).toBe(filename);
  });

  it.each([
    ['a\u0000.txt', 'a.txt'],
    ['a\r\nSet-Cookie: x', 'aSet-Cookie: x'],
    ['a\tb\u007f\u0085\u009fc', 'abc'],
    ['\u202Egpj.exe', 'gpj.exe'],
    ['a\u200E\u200F\u061C\u202A\u202B\u202C\u202D\u202Eb\u2066\u2067\u2068\u2069c', 'abc'],
    ['a\u2028b\u2029c', 'abc'],
    ['  a.txt \u00a0', 'a.txt'],
    ['a\ud800b', 'a\ufffdb'],
    ['a\udc00', 'a\ufffd'],
    ['e\u0301.txt', '\u00e9.txt'],
    ['e\u0000\u0301.txt', '\u00e9.txt'],
  ])('cleans %j', (raw, filename) => {
    expect(toFilename(raw, 255)).toBe(filename);
  });

  it.each(['', ' ', '.', '..', ' .. ', '/', 'a/', 'a/..', '..\\', '\u0000', '.\u0000.', '\u202E..', '. '])(
    'calls %j unnamed',
    (raw) => {
      expect(toFilename(raw, 255)).toBe('unnamed');
    },
  );

  it('counts bytes of UTF-8, of the name as it is kept', () => {
    expect(toFilename('漢'.repeat(85), 255)).toHaveLength(85);
    expect(toFilename(`${'x'.repeat(3000)}/${'x'.repeat(255)}\u0000`, 255)).toHaveLength(255);
    expect(refusal('漢'.repeat(86)).details).toEqual({ limitBytes: 255 });
    expect(refusal('x'.repeat(11), 10).message).toBe(
      'The file name "xxxxxxxxxxx" is longer than 10 bytes of UTF-8. Send a shorter one.',
    );
  });

  it('refuses what is beyond any name before looking at it', () => {
    const started = performance.now();
    expect(refusal(`/${'e\u0301'.repeat(1_000_000)}`).message.length).toBeLessThan(200);
    expect(refusal('x'.repeat(4097), 5000)).toBeInstanceOf(UploadError);
    expect(performance.now() - started).toBeLessThan(1000);
  });

  it('gives a name that is safe to show, and the same when applied again', () => {
    const nasty = fc.constantFrom(
      '/',
      '\\',
      '.',
      '..',
      ' ',
      '\u0000',
      '\n',
      '\u202E',
      '\ud800',
      'e\u0301',
      '\u212B',
      'a',
    );
    const name = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(nasty).map((pieces) => pieces.join('')),
    );
    fc.assert(
      fc.property(name, (raw) => {
        const filename = toFilename(raw, 4096);
        expect(filename).not.toMatch(/[/\\\p{Cc}\p{Cs}\p{Bidi_Control}]/u);
        expect(['', '.', '..']).not.toContain(filename);
        expect(filename).toBe(filename.normalize('NFC'));
        expect(filename).toBe(filename.trim());
        expect(toFilename(filename, 4096)).toBe(filename);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('hasExtension', () => {
  it.each([
    ['a.txt', 'txt'],
    ['a.TXT', 'txt'],
    ['archive.tar.gz', 'gz'],
    ['archive.tar.GZ', 'tar.gz'],
    ['a.b c', 'b c'],
    ['.config.json', 'json'],
    ['a.漢', '漢'],
    ['README', ''],
    ['.bashrc', ''],
    ['draft.', ''],
    ['x.php.', ''],
    ['unnamed', ''],
    ['', ''],
  ])('%j ends in %j', (filename, extension) => {
    expect(hasExtension(filename, extension)).toBe(true);
  });

  it.each([
    ['a.txt', 'xt'],
    ['a.txt', ''],
    ['atxt', 'txt'],
    ['x.php.', 'php'],
    ['.bashrc', 'bashrc'],
    ['.tar.gz', 'tar.gz'],
    ['README', 'readme'],
  ])('%j does not end in %j', (filename, extension) => {
    expect(hasExtension(filename, extension)).toBe(false);
  });
});
