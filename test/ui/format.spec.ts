import { describe, expect, it } from '@jest/globals';
import { formatBytes, formatPercent, formatTimeLeft } from '../../src/ui/page/format.js';

describe('numbers for people', () => {
  it.each([
    [0, '0 bytes'],
    [1, '1 byte'],
    [999, '999 bytes'],
    [1_000, '1 kB'],
    [1_234_567, '1.23 MB'],
    [999_999, '1,000 kB'],
    [120_400_000_000, '120 GB'],
    [9_007_199_254_740_991, '9.01 PB'],
  ])('%d bytes are %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text));

  it.each([
    [0, 10, '0%'],
    [999, 1_000, '99%'],
    [1_000, 1_000, '100%'],
    [0, 0, '100%'],
  ])('%d of %d is %s', (part, whole, text) => expect(formatPercent(part, whole)).toBe(text));

  it.each([
    [0.2, 'almost done'],
    [59, '59 s left'],
    [60, '1 min left'],
    [7_800, '2 h 10 min left'],
    [100_000, '1 d 3 h left'],
  ])('%d seconds: %s', (seconds, text) => expect(formatTimeLeft(seconds)).toBe(text));
});
