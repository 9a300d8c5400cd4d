import { describe, expect, it } from '@jest/globals';
import { lengthOf } from './chunk-window.js';

describe('lengthOf', () => {
  it.each([
    [{ start: 0, end: 0, total: 0 }, 0],
    [{ start: 0, end: 1, total: 1 }, 1],
    [{ start: 5, end: 10, total: null }, 5],
    [{ start: 2 ** 53 - 2, end: 2 ** 53 - 1, total: 2 ** 53 - 1 }, 1],
  ])('%j is %d bytes long', (window, length) => {
    expect(lengthOf(window)).toBe(length);
  });
});
