import type { HookContext } from './engine/upload-hooks.interface.js';
import type { UploadLimits } from './engine/upload-policy.js';
import { InvalidOptionError, show, size } from './option-values.js';
import type { ByteSize, PerRequest, UploadSettings } from './upload-options.js';

/** Limits for one request. */
export type ResolveLimits = (context: HookContext) => UploadLimits | Promise<UploadLimits>;

/** Limits as they are written, each possibly missing. */
interface GivenLimits {
  readonly maxBytes?: ByteSize | undefined;
  readonly minBytes?: ByteSize | undefined;
  readonly maxChunkBytes?: ByteSize | undefined;
  readonly allowedExtensions?: readonly string[] | undefined;
  readonly allowedMimeTypes?: readonly string[] | undefined;
}

const MIME_PATTERN = /^(\*|[a-z0-9][\w.+-]*)\/(\*|[a-z0-9][\w.+-]*)$/;

/**
 * The limits of an upload type: what is fixed is checked now, what depends on the request when it comes.
 * @throws InvalidOptionError
 */
export function resolveLimits(settings: UploadSettings): ResolveLimits {
  const { maxBytes, minBytes, maxChunkBytes, allowedExtensions, allowedMimeTypes } = settings;
  const fixed = parse({
    maxBytes: unlessFunction(maxBytes),
    minBytes: unlessFunction(minBytes),
    maxChunkBytes: unlessFunction(maxChunkBytes),
    allowedExtensions: unlessFunction(allowedExtensions),
    allowedMimeTypes: unlessFunction(allowedMimeTypes),
  });
  const given = [maxBytes, minBytes, maxChunkBytes, allowedExtensions, allowedMimeTypes];
  if (!given.some((value) => typeof value === 'function')) return () => fixed;
  return async (context) =>
    parse({
      maxBytes: await valueFor(maxBytes, context),
      minBytes: await valueFor(minBytes, context),
      maxChunkBytes: await valueFor(maxChunkBytes, context),
      allowedExtensions: await valueFor(allowedExtensions, context),
      allowedMimeTypes: await valueFor(allowedMimeTypes, context),
    });
}

function unlessFunction<Value>(value: PerRequest<Value> | undefined): Value | undefined {
  return typeof value === 'function' ? undefined : value;
}

function valueFor<Value>(
  value: PerRequest<Value> | undefined,
  context: HookContext,
): Value | undefined | Promise<Value> {
  if (typeof value !== 'function') return value;
  return (value as (context: HookContext) => Value | Promise<Value>)(context);
}

function parse(given: GivenLimits): UploadLimits {
  const limits = {
    maxBytes: size('maxBytes', given.maxBytes ?? Number.MAX_SAFE_INTEGER),
    minBytes: size('minBytes', given.minBytes ?? 0),
    maxChunkBytes: size('maxChunkBytes', given.maxChunkBytes ?? Number.MAX_SAFE_INTEGER),
    allowedExtensions: extensions(given.allowedExtensions),
    allowedMimeTypes: mimeTypes(given.allowedMimeTypes),
  };
  if (limits.minBytes > limits.maxBytes) throw new InvalidOptionError('minBytes must not be above maxBytes.');
  return Object.freeze(limits);
}

function extensions(values: readonly string[] | undefined): string[] | null {
  return values?.map((value) => value.toLowerCase().replace(/^\./, '')) ?? null;
}

function mimeTypes(values: readonly string[] | undefined): string[] | null {
  const patterns = values?.map((value) => value.toLowerCase()) ?? null;
  const wrong = patterns?.find((pattern) => !MIME_PATTERN.test(pattern));
  if (wrong === undefined) return patterns;
  throw new InvalidOptionError(`allowedMimeTypes must be like 'image/png' or 'image/*', not ${show(wrong)}.`);
}
