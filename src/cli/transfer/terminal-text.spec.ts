import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { columnsOf, fitted, span } from './terminal-text.js';

describe('columnsOf', () => {
  it.each([
    ['', 0],
    ['a.txt', 5],
    ['Ürlaub', 6],
    ['U\u0308rlaub', 6],
    ['漢字.bin', 8],
    ['👍🏽', 2],
    ['👩‍👩‍👧', 2],
    ['ﾊﾝ', 2],
  ])('of %j is %i', (text, columns) => {
    expect(columnsOf(text)).toBe(columns);
  });
});

describe('fitted', () => {
  it.each([
    ['a.txt', 8, 'a.txt   '],
    ['a.txt', 5, 'a.txt'],
    ['holiday-photo.jpg', 11, 'holid~o.jpg'],
    ['漢字漢字漢字.bin', 9, '漢字~.bin'],
    ['漢字', 3, '漢~'],
    ['abc', 1, '~'],
    ['abc', 0, ''],
  ])('%j in %i columns is %j', (text, columns, expected) => {
    expect(fitted(text, columns)).toBe(expected);
  });

  it('has exactly those columns', () => {
    const text = fc.string({ unit: fc.constantFrom('a', '漢', 'é', '👍', 'e\u0301') });
    fc.assert(
      fc.property(text, fc.nat(30), (value, columns) => {
        expect(columnsOf(fitted(value, columns))).toBe(columns);
      }),
    );
  });
});

describe('span', () => {
  it.each([
    [0, '0 s'],
    [-3, '0 s'],
    [59.4, '59 s'],
    [59.6, '1 min'],
    [3599, '1 h 0 min'],
    [4800, '1 h 20 min'],
    [90_000, '1 d 1 h'],
  ])('%d seconds are %s', (seconds, expected) => {
    expect(span(seconds)).toBe(expected);
  });
});
