import { buildMessage, getMetadataStorage, ValidateBy, validateSync } from 'class-validator';
import ms, { type StringValue } from 'ms';
import { excerpt } from '../errors/excerpt.js';
import { UploadError } from '../errors/upload-error.js';
import { readFields } from '../protocols/http/form-body.js';
import type { HttpExchange } from '../protocols/http/http-exchange.js';
import { normalizeMediaType } from '../protocols/http/media-type.js';

const INSTANT = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d))?$/;
const DURATION = /^\d{1,9}(\.\d{1,3})? ?[a-z]{1,12}$/i;
const CENTURY_MS = ms('100y');
const IDLE_TIMEOUT_MS = 30_000;

/** A point in time in ISO 8601, or a day, which begins in UTC; null for anything else, the 30th of February included. */
export function instantOf(value: unknown): Date | null {
  if (typeof value !== 'string' || !INSTANT.test(value)) return null;
  const day = new Date(`${value.slice(0, 10)}T00:00:00Z`);
  const instant = new Date(value);
  const isThere = !Number.isNaN(instant.getTime()) && day.toJSON()?.startsWith(value.slice(0, 10));
  return isThere ? instant : null;
}

/** A duration with its unit, like `12h`, in milliseconds: above 0, at most a century; null for anything else. */
export function durationOf(value: unknown): number | null {
  if (typeof value !== 'string' || !DURATION.test(value)) return null;
  // By its type a number; for an unknown unit it is none.
  const duration: number | undefined = ms(value as StringValue);
  return duration !== undefined && duration >= 1 && duration <= CENTURY_MS ? Math.round(duration) : null;
}

/** Requires what {@link instantOf} reads. */
export const IsInstant = (): PropertyDecorator =>
  validatedBy(
    'isInstant',
    instantOf,
    'must be a time like 2026-11-21T12:00:00Z or a day like 2026-11-21; write a + in a url as %2B',
  );

/** Requires what {@link durationOf} reads. */
export const IsDuration = (): PropertyDecorator =>
  validatedBy('isDuration', durationOf, "must be a duration with its unit, like '90m', '12h' or '2d'");

function validatedBy(name: string, read: (value: unknown) => unknown, rule: string): PropertyDecorator {
  const defaultMessage = buildMessage((prefix) => `${prefix}$property ${rule}`);
  return ValidateBy({ name, validator: { validate: (value) => read(value) !== null, defaultMessage } });
}

/**
 * What a client sent, as a DTO: values as they came, none converted, and no field that the DTO has not.
 * @throws UploadError `malformed_request` naming everything that is wrong.
 */
export function readInput<Input extends object>(Dto: new () => Input, given: unknown): Input {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw malformed(['Send a JSON object']);
  }
  const rules = getMetadataStorage().getTargetValidationMetadatas(Dto, '', false, false);
  const fields = new Set(rules.map(({ propertyName }) => propertyName));
  const unknown = Object.keys(given).filter((name) => !fields.has(name));
  if (unknown.length > 0) {
    const [name = ''] = unknown;
    throw malformed([`There is no ${excerpt(name)} here, only ${[...fields].join(', ')}`]);
  }
  const input = Object.assign(new Dto(), given);
  const problems = validateSync(input).flatMap(({ constraints }) => Object.values(constraints ?? {}));
  if (problems.length > 0) throw malformed(problems);
  return input;
}

/**
 * The JSON of a request, parsed by the app or here. Other types are refused: a form of another site could send them, with
 * the administrator's cookies and without asking.
 */
export async function readJson(exchange: HttpExchange): Promise<unknown> {
  if (normalizeMediaType(exchange.header('content-type')) !== 'application/json') {
    throw malformed(['Send a JSON object, as application/json']);
  }
  const { body } = exchange.request as { body?: unknown };
  if (body !== undefined) return body;
  return Object.fromEntries(await readFields(exchange.incoming, { idleTimeoutMs: IDLE_TIMEOUT_MS }));
}

/** The refusal of a request that is wrong in these ways. */
export function malformed(problems: readonly string[]): UploadError {
  return new UploadError('malformed_request', `${[...new Set(problems)].join('; ')}.`);
}
