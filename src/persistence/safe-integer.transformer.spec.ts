import { describe, expect, it } from '@jest/globals';
import { safeInteger } from './safe-integer.transformer.js';

describe('safeInteger', () => {
  const from = safeInteger.from as (value: string | null) => number | null;

  it.each([
    ['0', 0],
    ['10', 10],
    ['2147483648', 2 ** 31],
    ['4294967296', 2 ** 32],
    ['9007199254740991', Number.MAX_SAFE_INTEGER],
    [null, null],
  ])('%p comes as %p', (value, expected) => expect(from(value)).toBe(expected));

  it.each(['9007199254740992', '9223372036854775807', '1.5', 'x', 'NaN'])(
    '%p is refused, not rounded',
    (value) => {
      expect(() => from(value)).toThrow(RangeError);
    },
  );
});
