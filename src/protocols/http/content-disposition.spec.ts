import { toUSVString } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'content-disposition';
import fc from 'fast-check';
import { UploadError } from '../../errors/upload-error.js';
import { attachment, partDisposition, requestFilename } from './content-disposition.js';

/** A header as Node hands it over when the client sent these characters as UTF-8. */
const utf8 = (header: string) => Buffer.from(header).toString('latin1');

function refusal(header: string): UploadError {
  try {
    requestFilename(header);
  } catch (error) {
    if (UploadError.is(error, 'filename_invalid')) return error;
    throw error;
  }
  throw new Error(`${JSON.stringify(header.slice(0, 80))} was accepted`);
}

describe('requestFilename', () => {
  it.each([
    ['attachment; filename="a.txt"', 'a.txt'],
    ['attachment; filename=a.txt', 'a.txt'],
    ['attachment; filename=my file.txt', 'my file.txt'],
    ['Attachment ;FILENAME = "a.txt" ; x=y', 'a.txt'],
    ['form-data; name="file"; filename="a.txt"', 'a.txt'],
    ['attachment; filename="a;b=c.txt"', 'a;b=c.txt'],
    ['attachment; filename="a\\"b.txt"', 'a"b.txt'],
    ['attachment; filename="../../etc/passwd"', '../../etc/passwd'],
    ["attachment; filename*=UTF-8''na%C3%AFve%20%E6%BC%A2.txt", 'naïve 漢.txt'],
    ["attachment; filename*=utf-8'en'a%20b", 'a b'],
    ["attachment; filename*=ISO-8859-1''na%EFve", 'naïve'],
    ['attachment; filename*="UTF-8\'\'a%20b"', 'a b'],
    ['attachment; filename="plain"; filename*=UTF-8\'\'b%C3%A9st', 'bést'],
    ['attachment; filename*=UTF-8\'\'b%C3%A9st; filename="plain"', 'bést'],
    ['attachment; filename="plain"; filename*=UTF-8\'\'%ff', 'plain'],
    ['attachment; filename="plain"; filename*=koi8-r\'\'x', 'plain'],
  ])('of %s is %s', (header, filename) => {
    expect(requestFilename(header)).toBe(filename);
  });

  it.each([
    undefined,
    'attachment',
    'inline',
    'attachment; filename=""',
    'attachment; filename=',
    'attachment; x=y',
  ])('has none in %j', (header) => {
    expect(requestFilename(header)).toBeUndefined();
  });

  it('recovers raw UTF-8 from what Node reads as latin1, and leaves real latin1 alone', () => {
    expect(requestFilename(utf8('attachment; filename="naïve 漢字 😀.txt"'))).toBe('naïve 漢字 😀.txt');
    expect(requestFilename('attachment; filename="na\u00efve.txt"')).toBe('naïve.txt');
    expect(requestFilename('attachment; filename="\u00ed\u00a0\u0080"')).toBe('\u00ed\u00a0\u0080');
  });

  it('undoes the encodeURI of jQuery-File-Upload and nothing that only looks like it', () => {
    const jquery = (name: string) => requestFilename(`attachment; filename="${encodeURI(name)}"`);
    expect(jquery('naïve 漢字 100%.txt')).toBe('naïve 漢字 100%.txt');
    expect(jquery('a"b&c;d.txt')).toBe('a"b&c;d.txt');
    for (const literal of ['100%.txt', '50%25off%zz.txt', 'a%2Fb', '%e6%bc%a2', '%FF', 'a b%20c']) {
      expect(requestFilename(`attachment; filename="${literal}"`)).toBe(literal);
    }
  });

  it.each([
    '',
    ';',
    'filename="a.txt"',
    'attachment filename="a.txt"',
    'attachment; filename="a.txt',
    'attachment; filename="a.txt" junk',
    'attachment; filename="a"; filename="b',
    'attachment; filename="a", attachment; filename="b"',
    'attachment; filename=a"b',
    "attachment; filename*=UTF-8''%ff",
    'attachment; filename*=a.txt',
  ])('refuses %j', (header) => {
    expect(refusal(header).message).toContain('cannot be read. Send \'attachment; filename="report.pdf"\'');
  });

  it('refuses a header longer than any name needs', () => {
    expect(refusal(`attachment; filename="${'x'.repeat(8200)}"`).message.length).toBeLessThan(300);
  });

  it('reads back any name, as RFC 8187 or as jQuery-File-Upload writes it', () => {
    const name = fc
      .string({ unit: 'grapheme', minLength: 1 })
      .filter((value) => toUSVString(value) === value);
    fc.assert(
      fc.property(name, (value) => {
        expect(requestFilename(`attachment; filename*=UTF-8''${encodeURIComponent(value)}`)).toBe(value);
        expect(requestFilename(`attachment; filename="${encodeURI(value)}"`)).toBe(value);
      }),
    );
  });

  it('is done with the longest header at once', () => {
    const started = performance.now();
    for (const piece of ['\\', '"', ' ', ';', '=', ';a="', ';a= ', '; ', "'", '%C3', '\\"', 'x']) {
      for (const length of [8000, 1_000_000]) {
        const header = `attachment;${piece.repeat(Math.ceil(length / piece.length))}\u0001"`;
        try {
          requestFilename(header);
        } catch (error) {
          expect(UploadError.is(error, 'filename_invalid')).toBe(true);
        }
        partDisposition(`form-data;${header.slice(11, 80_000)}`);
      }
    }
    expect(performance.now() - started).toBeLessThan(1000);
  });
});

describe('partDisposition', () => {
  it.each([
    ['form-data; name="a"', { name: 'a', filename: undefined }],
    ['form-data; name=a', { name: 'a', filename: undefined }],
    ['Form-Data ; Name="a" ; FileName="b.txt"', { name: 'a', filename: 'b.txt' }],
    ['form-data; filename="b.txt"; name="a"', { name: 'a', filename: 'b.txt' }],
    ['form-data; name=""; filename=""', { name: '', filename: '' }],
    ['form-data; name="a"; filename="x%22y%0Az%.txt"', { name: 'a', filename: 'x"y\nz%.txt' }],
    ['form-data; name="a"; filename="x\\"y.txt"', { name: 'a', filename: 'x"y.txt' }],
    ['form-data; name="a"; filename="C:\\dir\\b.txt"', { name: 'a', filename: 'C:\\dir\\b.txt' }],
    ['form-data; name="a"; filename="b\\"', { name: 'a', filename: 'b\\' }],
    ['form-data; name="a"; filename="b;c=d.txt"', { name: 'a', filename: 'b;c=d.txt' }],
    ['form-data; name="a"; filename="x"; filename*=UTF-8\'\'%E6%BC%A2', { name: 'a', filename: '漢' }],
    ['form-data; name="__proto__"', { name: '__proto__', filename: undefined }],
    [utf8('form-data; name="é"; filename="naïve 漢字.txt"'), { name: 'é', filename: 'naïve 漢字.txt' }],
  ])('reads %s', (header, expected) => {
    expect(partDisposition(header)).toEqual(expected);
  });

  it.each([
    '',
    'form-data',
    'form-data; filename="b"',
    'attachment; name="a"',
    'form-data, form-data; name="a"',
    'form-data name="a"',
    'form-data; name="a',
    'form-data; name="a"; filename="b',
    'form-data; name="a" x; filename="b"',
  ])('makes nothing of %j', (header) => {
    expect(partDisposition(header)).toBeNull();
  });
});

describe('attachment', () => {
  it.each([
    ['a.txt', 'attachment; filename=a.txt'],
    ['my file.txt', 'attachment; filename="my file.txt"'],
    [
      'naïve 漢字.txt',
      `attachment; filename="na_ve __.txt"; filename*=UTF-8''na%C3%AFve%20%E6%BC%A2%E5%AD%97.txt`,
    ],
    ['a"b\\c.txt', `attachment; filename=a_b_c.txt; filename*=UTF-8''a%22b%5Cc.txt`],
    ['100%25.txt', `attachment; filename=100_25.txt; filename*=UTF-8''100%2525.txt`],
    ['a\r\nSet-Cookie: x', 'attachment; filename="a__Set-Cookie: x"'],
    ['\ud800', `attachment; filename=_; filename*=UTF-8''%EF%BF%BD`],
    ['😀', `attachment; filename=_; filename*=UTF-8''%F0%9F%98%80`],
    ['a;b,c', 'attachment; filename="a;b,c"'],
    ["it's(1)*.txt", 'attachment; filename="it\'s(1)*.txt"'],
    ['', 'attachment; filename=""'],
  ])('%j is %s', (filename, header) => {
    expect(attachment(filename)).toBe(header);
  });

  it('never throws, stays within one header, and is read as the same name', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (filename) => {
        const header = attachment(filename);
        expect(header).toMatch(/^attachment; filename=[\x20-\x7e]*$/);
        expect(parse(header).parameters['filename']).toBe(toUSVString(filename).replace(/\p{Cc}/gu, '_'));
      }),
      { numRuns: 1_000 },
    );
  });
});
