import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { UploadError } from '../../errors/upload-error.js';
import { multipartBoundary, normalizeMediaType, refuseEncodedBody } from './media-type.js';

const BCHARS = [..."0123456789ABCXYZabcxyz'()+_,-./:=?"];

function refusal(call: () => unknown): UploadError {
  try {
    call();
  } catch (error) {
    if (UploadError.is(error)) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('normalizeMediaType', () => {
  it.each([
    ['text/plain', 'text/plain'],
    ['Text/HTML; charset=utf-8', 'text/html'],
    ['image/svg+xml', 'image/svg+xml'],
    [
      'application/vnd.openxmlformats-officedocument.wordprocessingml.document;x',
      expect.stringContaining('vnd.'),
    ],
    [' video/mp4 ;codecs="avc1"', 'video/mp4'],
    [`${'a'.repeat(127)}/${'b'.repeat(127)}`, `${'a'.repeat(127)}/${'b'.repeat(127)}`],
  ])('reads %j', (value, expected) => {
    expect(normalizeMediaType(value)).toEqual(expected);
  });

  it.each([
    undefined,
    '',
    ';',
    'text',
    'text/',
    '/plain',
    'text/plain/x',
    'text /plain',
    'text/ plain',
    'text/plain, text/html',
    'text/plain text/html',
    'text/pläin',
    'text/pla\u0000in',
    'text/pla\nin',
    '"text/plain"',
    'image/*',
    '*/*',
    '<script>/x',
    `${'a'.repeat(128)}/b`,
    `a/${'b'.repeat(128)}`,
  ])('takes %j for none', (value) => {
    expect(normalizeMediaType(value)).toBeNull();
  });

  it('gives the same for its own result, and never anything but a lower-case type', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: 'binary' }), fc.stringMatching(/^[a-zA-Z+.-]+\/[a-z+.-]+;?.*$/)),
        (value) => {
          const type = normalizeMediaType(value);
          if (type === null) return;
          expect(type).toMatch(/^[^\s/;,*A-Z]+\/[^\s/;,*A-Z]+$/);
          expect(normalizeMediaType(type)).toBe(type);
        },
      ),
    );
  });
});

describe('multipartBoundary', () => {
  it.each([
    ['multipart/form-data; boundary=x', 'x'],
    ['Multipart/Form-Data;BOUNDARY=x', 'x'],
    [
      'multipart/form-data; boundary=----WebKitFormBoundary7MA4YWxkTrZu0gW',
      '----WebKitFormBoundary7MA4YWxkTrZu0gW',
    ],
    ['multipart/form-data; boundary="a b:c"', 'a b:c'],
    ['multipart/form-data; boundary="a\\bc"', 'abc'],
    ['multipart/form-data; boundary=a/b:c=d', 'a/b:c=d'],
    ['multipart/form-data; charset=utf-8; boundary=x', 'x'],
    ['multipart/form-data; boundary=x; charset=utf-8', 'x'],
    ['multipart/form-data; boundary=x;', 'x'],
    ['multipart/form-data;; boundary=x ; ', 'x'],
    ['multipart/form-data; note="; boundary=y"; boundary=x', 'x'],
    [`multipart/form-data; boundary=${'x'.repeat(70)}`, 'x'.repeat(70)],
  ])('finds that of %s', (contentType, boundary) => {
    expect(multipartBoundary(contentType)).toBe(boundary);
  });

  it.each([
    undefined,
    '',
    'boundary=x',
    'text/plain; boundary=x',
    'multipart/mixed; boundary=x',
    'multipart/form-data',
    'multipart/form-data; boundary',
    'multipart/form-data; boundary=',
    'multipart/form-data; boundary=""',
    'multipart/form-data; boundary="x',
    'multipart/form-data; boundary="x"y',
    'multipart/form-data; boundary="x "',
    'multipart/form-data; boundary=x y',
    'multipart/form-data; boundary="x\ty"',
    'multipart/form-data; boundary=é',
    'multipart/form-data; boundary="x\u0000"',
    'multipart/form-data; boundary=a*b',
    'multipart/form-data; boundary=x; boundary=x',
    'multipart/form-data; boundary=x; boundary=y',
    `multipart/form-data; boundary=${'x'.repeat(71)}`,
    `multipart/form-data; boundary=${'x'.repeat(252)}`,
  ])('refuses %j', (contentType) => {
    const error = refusal(() => multipartBoundary(contentType));
    expect(error.code).toBe('malformed_request');
    expect(error.message).toContain('multipart/form-data; boundary=');
    expect(error.message.length).toBeLessThan(400);
  });

  it('refuses a megabyte at once', () => {
    const started = performance.now();
    for (const parameters of [
      `boundary=${'x'.repeat(1e6)}`,
      `${'a=b; '.repeat(2e5)}boundary=x`,
      '"'.repeat(1e6),
    ]) {
      expect(
        refusal(() => multipartBoundary(`multipart/form-data; ${parameters}`)).message.length,
      ).toBeLessThan(400);
    }
    expect(normalizeMediaType('a/'.repeat(500_000))).toBeNull();
    expect(performance.now() - started).toBeLessThan(1000);
  });

  it('finds every boundary that RFC 2046 allows, quoted', () => {
    const boundary = fc
      .array(fc.constantFrom(...BCHARS, ' '), { minLength: 1, maxLength: 70 })
      .map((characters) => characters.join(''))
      .filter((value) => !value.endsWith(' '));
    fc.assert(
      fc.property(boundary, (value) => {
        expect(multipartBoundary(`multipart/form-data; boundary="${value}"`)).toBe(value);
      }),
    );
  });
});

describe('refuseEncodedBody', () => {
  it.each([undefined, '', 'identity', 'Identity', ' identity '])('lets %j pass', (coding) => {
    expect(() => refuseEncodedBody(coding)).not.toThrow();
  });

  it.each(['gzip', 'br', 'deflate', 'aws-chunked', 'identity, gzip', '*', 'x\u0000'])(
    'refuses %j',
    (coding) => {
      expect(refusal(() => refuseEncodedBody(coding)).code).toBe('encoding_not_supported');
    },
  );
});
