import { InvalidArgumentError } from 'commander';
import ms, { type StringValue } from 'ms';
import { parseUploadId } from '../engine/upload-id.js';

/** A duration with its unit, in milliseconds. @throws InvalidArgumentError */
export function parseDuration(value: string): number {
  const parsed: number | undefined = /^\d+$/.test(value) ? undefined : ms(value as StringValue);
  if (parsed !== undefined && parsed >= 0) return parsed;
  throw new InvalidArgumentError("Write a duration with its unit, like '90m', '12h' or '3d'.");
}

/** A whole number above 0. @throws InvalidArgumentError */
export function parseCount(value: string): number {
  if (/^\d{1,9}$/.test(value) && Number(value) > 0) return Number(value);
  throw new InvalidArgumentError('Write a whole number above 0.');
}

/** An id, strictly. @throws InvalidArgumentError */
export function parseId(value: string): string {
  const id = parseUploadId(value);
  if (id) return id;
  throw new InvalidArgumentError('An id is a UUID, like 0199a5e2-7c1d-7b3e-9f00-5d2c8a417e11.');
}

/** Ids after each other, each once. @throws InvalidArgumentError */
export function collectIds(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...new Set([...(before ?? []), parseId(value)])];
}

/** A domain object as `type:id`; the id may have colons. @throws InvalidArgumentError */
export function parseOwner(value: string): { type: string; id: string } {
  const [, type, id] = /^([^:]+):(.+)$/s.exec(value) ?? [];
  if (type && id) return { type, id };
  throw new InvalidArgumentError('Write a type and an id with a colon between, like album:7.');
}
