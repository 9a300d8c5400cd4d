import type { ValueTransformer } from 'typeorm';

/**
 * `bigint` columns as numbers, at one boundary: pg returns them as strings, and `'10' + 5` is a bug waiting. Numbers
 * beyond 2^53 - 1 are refused instead of rounded.
 */
export const safeInteger: ValueTransformer = {
  to: (value: number | null | undefined) => value,
  from: (value: string | null): number | null => {
    if (value === null) return null;
    const number = Number(value);
    if (!Number.isSafeInteger(number)) throw new RangeError(`Not a safe integer: ${value}`);
    return number;
  },
};
