import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type ByteRange, matchesEtag, parseByteRange } from './byte-range.js';

const etag = '"0f8f-500"';
const whole = { kind: 'whole' };
const unsatisfiable = { kind: 'unsatisfiable' };
const part = (start: number, end: number) => ({ kind: 'part', start, end });

function ask(header: string | undefined, size = 500, ifRange?: string): ByteRange {
  return parseByteRange(header, size, { etag, ifRange });
}

describe('parseByteRange', () => {
  it.each([
    ['bytes=0-0', part(0, 1)],
    ['bytes=0-499', part(0, 500)],
    ['bytes=0-', part(0, 500)],
    ['bytes=499-', part(499, 500)],
    ['bytes=100-199', part(100, 200)],
    ['bytes=100-10000', part(100, 500)],
    ['bytes=0-99999999999999999999999', part(0, 500)],
    ['bytes=-1', part(499, 500)],
    ['bytes=-500', part(0, 500)],
    ['bytes=-501', part(0, 500)],
    ['bytes=-99999999999999999999', part(0, 500)],
    ['Bytes=0-9', part(0, 10)],
    ['bytes= 0-9 ', part(0, 10)],
    ['bytes=007-8', part(7, 9)],
  ])('serves %s of 500 bytes', (header, expected) => {
    expect(ask(header)).toEqual(expected);
  });

  it.each(['bytes=500-', 'bytes=500-501', 'bytes=99999999999999999999-', 'bytes=-0'])(
    'cannot serve %s',
    (header) => {
      expect(ask(header)).toEqual(unsatisfiable);
    },
  );

  it.each([
    undefined,
    '',
    'bytes',
    'bytes=',
    'bytes=-',
    'bytes=a-b',
    'bytes=0-9x',
    'bytes=0x0-0x9',
    'bytes=+0-9',
    'bytes=1e1-20',
    'bytes=0 - 9',
    'bytes 0-9',
    'bytes=0-9\n',
    'items=0-9',
    'bytes=5-2',
    'bytes=600-599',
    'bytes=0-0,5-5',
    'bytes=0-9,',
    'bytes=0-1, 0-1, 0-1, 0-1, 0-1, 0-1, 0-1, 0-1, 0-1, 0-1, 0-1, 0-1, 0-1, 0-1',
  ])('ignores %s and serves the whole file', (header) => {
    expect(ask(header)).toEqual(whole);
  });

  it('serves an empty file whole, or not at all from a position', () => {
    expect(ask('bytes=-5', 0)).toEqual(whole);
    expect(ask('bytes=0-', 0)).toEqual(unsatisfiable);
    expect(ask('bytes=0-0', 0)).toEqual(unsatisfiable);
  });

  it('heeds If-Range: only the same strong tag continues a download', () => {
    expect(ask('bytes=0-9', 500, etag)).toEqual(part(0, 10));
    expect(ask('bytes=500-', 500, etag)).toEqual(unsatisfiable);
    for (const other of [
      '"other"',
      `W/${etag}`,
      '',
      '*',
      `${etag}, ${etag}`,
      'Sat, 29 Oct 1994 19:43:31 GMT',
    ]) {
      expect(ask('bytes=0-9', 500, other)).toEqual(whole);
      expect(ask('bytes=500-', 500, other)).toEqual(whole);
    }
  });

  it('never goes beyond the file, and is done with a megabyte at once', () => {
    const number = fc.oneof(
      fc.bigInt({ min: 0n, max: 10n ** 20n }),
      fc.bigInt({ min: 0n, max: 1000n }),
      fc.constant(''),
    );
    fc.assert(
      fc.property(number, number, fc.nat({ max: 1000 }), (first, last, size) => {
        const range = ask(`bytes=${first}-${last}`, size);
        if (range.kind !== 'part') return;
        expect(range.start).toBeGreaterThanOrEqual(0);
        expect(range.end).toBeGreaterThan(range.start);
        expect(range.end).toBeLessThanOrEqual(size);
      }),
    );
    const started = performance.now();
    expect(ask(`bytes=${' '.repeat(1e6)}x`)).toEqual(whole);
    expect(ask(`bytes=${'0'.repeat(1e6)}-1`)).toEqual(whole);
    expect(ask(`bytes=${'0-0,'.repeat(250_000)}0-0`)).toEqual(whole);
    expect(performance.now() - started).toBeLessThan(1000);
  });
});

describe('matchesEtag', () => {
  it.each(['*', ' * ', etag, `W/${etag}`, `"a", ${etag}`, `"a",${etag},W/"b"`, `  ${etag}`])(
    '%s matches',
    (header) => {
      expect(matchesEtag(header, etag)).toBe(true);
    },
  );

  it('compares weakly from either side', () => {
    expect(matchesEtag(etag, `W/${etag}`)).toBe(true);
  });

  it.each([undefined, '', '"a"', '0f8f-500', '"0f8f', '"0f8f-5001"', '"*"', '"a, b"'])(
    '%s does not match',
    (header) => {
      expect(matchesEtag(header, etag)).toBe(false);
    },
  );

  it('is done with a megabyte at once', () => {
    const started = performance.now();
    for (const header of ['"'.repeat(1e6), `"${'a'.repeat(1e6)}`, '"a'.repeat(5e5), ' '.repeat(1e6)]) {
      matchesEtag(header, etag);
    }
    expect(performance.now() - started).toBeLessThan(1000);
  });
});
