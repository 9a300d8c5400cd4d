import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { excerpt } from './excerpt.js';

describe('excerpt', () => {
  it('quotes a printable value as it is', () => {
    expect(excerpt('bytes 0-9/10')).toBe('"bytes 0-9/10"');
    expect(excerpt('naïve 漢字 😀.txt')).toBe('"naïve 漢字 😀.txt"');
    expect(excerpt('')).toBe('""');
  });

  it('replaces what does not print, so that a value cannot forge a log line', () => {
    expect(excerpt('a\r\nERROR b\u0000\u001b[31m')).toBe('"a��ERROR b��[31m"');
    expect(excerpt('gpj\u202Eexe.\u2028\ud800')).toBe('"gpj�exe.��"');
  });

  it('cuts a long value and says so', () => {
    expect(excerpt('x'.repeat(1_000_000))).toBe(`"${'x'.repeat(80)}…"`);
  });

  it('never throws and stays short and printable', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) => {
        const quoted = excerpt(value);
        expect(quoted.length).toBeLessThanOrEqual(83);
        expect(quoted).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}]/u);
      }),
    );
  });
});
