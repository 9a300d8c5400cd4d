import bytes from 'bytes';
import ms, { type StringValue } from 'ms';
import type { ByteSize, Duration } from './upload-options.js';

/** An option that cannot be used; says which, and what to write. */
export class InvalidOptionError extends Error {
  override readonly name = 'InvalidOptionError';
}

/** The longest that Node's timers take, 24.8 days: they end at once when they are told of more. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

const DURATION_PATTERN = /^\d+(\.\d+)? ?[a-z]{0,12}$/i;
const SIZE_PATTERN = /^\d+(\.\d+)? ?([kmgtp]?b)?$/i;

/** Bytes. @throws InvalidOptionError */
export function size(name: string, value: ByteSize): number {
  // Strictly, since `bytes` takes '2 apples' for 2 bytes.
  const parsed = typeof value === 'number' ? value : SIZE_PATTERN.test(value) ? bytes.parse(value) : null;
  if (parsed !== null && Number.isSafeInteger(parsed) && parsed >= 0) return parsed;
  throw new InvalidOptionError(`${name} must be a number of bytes or a size like '5mb', not ${show(value)}.`);
}

/** Milliseconds, at least `least`. @throws InvalidOptionError */
export function duration(name: string, value: Duration, least = 1): number {
  const parsed =
    typeof value === 'number' ? value : DURATION_PATTERN.test(value) ? ms(value as StringValue) : undefined;
  if (parsed !== undefined && Number.isFinite(parsed) && parsed >= least) return Math.round(parsed);
  throw new InvalidOptionError(
    `${name} must be milliseconds or a duration like '30s' or '1d', not ${show(value)}.`,
  );
}

/** The same for what Node's timers measure. @throws InvalidOptionError */
export function timer(name: string, value: Duration, least = 1): number {
  const parsed = duration(name, value, least);
  if (parsed <= LONGEST_TIMER_MS) return parsed;
  throw new InvalidOptionError(`${name} must be at most 24 days, not ${show(value)}.`);
}

/** One of some words. @throws InvalidOptionError */
export function oneOf<const Value extends string>(
  name: string,
  value: string,
  values: readonly Value[],
): Value {
  const found = values.find((candidate) => candidate === value);
  if (found !== undefined) return found;
  throw new InvalidOptionError(`${name} must be one of ${values.join(', ')}, not ${show(value)}.`);
}

/** A value as it was written, for a message. */
export function show(value: unknown): string {
  return JSON.stringify(value) ?? String(value);
}
