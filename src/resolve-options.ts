import { userOfRequest } from './access/caller.js';
import { CHECKSUM_ALGORITHMS, type ChecksumAlgorithm } from './engine/checksum-algorithm.js';
import { LIFE_FACTOR } from './engine/lingering-leases.js';
import type { UploadPolicy } from './engine/upload-policy.js';
import type { Quota } from './persistence/upload.repository.js';
import { UPLOAD_ERROR_CODES } from './errors/upload-error-code.js';
import type { HookContext } from './engine/upload-hooks.interface.js';
import { duration, InvalidOptionError, oneOf, show, size, timer } from './option-values.js';
import { resolveLimits } from './resolve-limits.js';
import { DEFAULT_FOLDER, expandFolder, type StorageFolder } from './storage/storage-key.js';
import type { PerRequest, UploadSettings, UploadShape } from './upload-options.js';
import type { DoorSettings } from './upload-type.js';

/** The rules and the manners of an upload type, complete and checked. */
export interface ResolvedSettings {
  readonly policy: Omit<UploadPolicy, 'admitOwner'>;
  readonly door: DoorSettings;
}

/** Every setting there is; the compiler sees to it that none is missing. */
const SETTINGS: Readonly<Record<keyof UploadSettings, true>> = {
  storage: true,
  folder: true,
  resolveUser: true,
  userRestricted: true,
  anonymous: true,
  owners: true,
  maxBytes: true,
  minBytes: true,
  maxChunkBytes: true,
  maxOpenUploads: true,
  maxOpenBytes: true,
  maxFilenameBytes: true,
  allowedExtensions: true,
  allowedMimeTypes: true,
  expiresIn: true,
  checksum: true,
  contentRange: true,
  fileField: true,
  durability: true,
  idleTimeout: true,
  leaseTtl: true,
  leaseLinger: true,
  shutdownGrace: true,
  keepRecords: true,
  publicUrl: true,
  render: true,
  response: true,
  statusOverrides: true,
  beforeCreate: true,
  beforeChunk: true,
  inspectChunk: true,
  beforeComplete: true,
  onComplete: true,
};

const MAX_FILENAME_BYTES = 255;

/**
 * Fills in the defaults and checks every option, once, at boot.
 * @throws InvalidOptionError naming the option and what it may be.
 */
export function resolveSettings(
  settings: UploadSettings,
  shape: Pick<UploadShape, 'guards'>,
): ResolvedSettings {
  requireKnown(settings);
  requireAccess(settings, shape);
  const policy = {
    quota: quota(settings),
    maxFilenameBytes: filenameBytes(settings.maxFilenameBytes ?? MAX_FILENAME_BYTES),
    expiresInMs: duration('expiresIn', settings.expiresIn ?? '1d'),
    algorithms: algorithms(settings.checksum ?? 'md5'),
    durability: oneOf('durability', settings.durability ?? 'chunk', ['chunk', 'complete']),
    idleTimeoutMs: timer('idleTimeout', settings.idleTimeout ?? '60s'),
    ...leaseTimes(settings),
    keepRecords: settings.keepRecords ?? false,
    folder: folder(settings.folder ?? DEFAULT_FOLDER),
  };
  const door = {
    resolveUser: settings.resolveUser ?? userOfRequest,
    isRestricted: restriction(settings.userRestricted ?? true),
    limits: resolveLimits(settings),
    anonymous: settings.anonymous ?? false,
    isRangeRequired:
      oneOf('contentRange', settings.contentRange ?? 'required', ['required', 'optional']) === 'required',
    fileField: fieldName(settings.fileField ?? 'file'),
    publicUrl: publicUrl(settings.publicUrl),
    render: settings.render ?? ((body) => body),
    response: responseFormat(settings.response),
    statusOverrides: statusOverrides(settings.statusOverrides ?? {}),
    shutdownGraceMs: timer('shutdownGrace', settings.shutdownGrace ?? '10s', 0),
  };
  return Object.freeze({ policy: Object.freeze(policy), door: Object.freeze(door) });
}

/** A limit with a typing error in its name would be one that silently does not hold. */
function requireKnown(settings: UploadSettings): void {
  const unknown = Object.keys(settings).find((name) => !Object.hasOwn(SETTINGS, name));
  if (unknown === undefined) return;
  throw new InvalidOptionError(
    `There is no option ${unknown}; there are: ${Object.keys(SETTINGS).join(', ')}.`,
  );
}

/** Fail closed: an endpoint that takes bytes from everybody has to be asked for. */
function requireAccess(
  { resolveUser, anonymous }: UploadSettings,
  { guards }: Pick<UploadShape, 'guards'>,
): void {
  if (resolveUser || anonymous || (guards && guards.length > 0)) return;
  throw new InvalidOptionError(
    'ChunkedUploadModule does not know who may upload. Write `guards: [YourAuthGuard]`, or ' +
      '`resolveUser: (request) => request.user?.id ?? null` when a global guard signs users in, or ' +
      '`anonymous: true` to take uploads from everybody.',
  );
}

function quota({ maxOpenUploads, maxOpenBytes }: UploadSettings): Quota | null {
  if (maxOpenUploads === undefined && maxOpenBytes === undefined) return null;
  const uploads = maxOpenUploads ?? Number.MAX_SAFE_INTEGER;
  if (!Number.isSafeInteger(uploads) || uploads < 1) {
    throw new InvalidOptionError(
      `maxOpenUploads must be a whole number above 0, not ${show(maxOpenUploads)}.`,
    );
  }
  return { uploads, bytes: size('maxOpenBytes', maxOpenBytes ?? Number.MAX_SAFE_INTEGER) };
}

/** A lease that lingers lives no longer than any other. */
function leaseTimes({ leaseTtl = '30s', leaseLinger = '1s' }: UploadSettings) {
  const leaseTtlMs = timer('leaseTtl', leaseTtl);
  const lingerMs = timer('leaseLinger', leaseLinger, 0);
  return { leaseTtlMs, leaseLingerMs: Math.min(lingerMs, Math.floor(leaseTtlMs / LIFE_FACTOR)) };
}

function filenameBytes(value: number): number {
  if (Number.isInteger(value) && value >= 1 && value <= MAX_FILENAME_BYTES) return value;
  throw new InvalidOptionError(
    `maxFilenameBytes must be a whole number from 1 to ${MAX_FILENAME_BYTES}, not ${show(value)}.`,
  );
}

/** A template is tried now; a function when an upload is created. */
function folder(value: StorageFolder): StorageFolder {
  if (typeof value === 'function') return value;
  try {
    expandFolder(value, new Date());
    return value;
  } catch (error) {
    const { message } = error as Error;
    throw new InvalidOptionError(`folder must be like 'uploads/%Y/%m/%d', not ${show(value)}: ${message}.`);
  }
}

/** Fail closed: whatever is not a plain no restricts. */
function restriction(value: PerRequest<boolean>): DoorSettings['isRestricted'] {
  if (typeof value !== 'function') return () => value;
  return async (context: HookContext) => (await value(context)) !== false;
}

function responseFormat(given: UploadSettings['response']): DoorSettings['response'] {
  if (!given) return null;
  const { contentType = 'application/json; charset=utf-8', encode = JSON.stringify } = given;
  if (/^[\x20-\x7e]{1,200}$/.test(contentType)) return { contentType, encode };
  throw new InvalidOptionError(`response.contentType must be a media type, not ${show(contentType)}.`);
}

function algorithms(value: NonNullable<UploadSettings['checksum']>): ChecksumAlgorithm[] {
  const names = value === false ? [] : [...new Set([value].flat())];
  for (const name of names) oneOf('checksum', name, CHECKSUM_ALGORITHMS);
  return names;
}

function fieldName(value: string): string {
  if (value.length > 0 && value.length <= 100) return value;
  throw new InvalidOptionError('fileField must be a name of 1 to 100 characters.');
}

function publicUrl(value: string | undefined): string | null {
  if (value === undefined) return null;
  const url = URL.canParse(value) ? new URL(value) : null;
  if (url && /^https?:$/.test(url.protocol) && !url.search && !url.hash) return value.replace(/\/+$/, '');
  throw new InvalidOptionError(`publicUrl must be like 'https://files.example.com', not ${show(value)}.`);
}

function statusOverrides(table: NonNullable<UploadSettings['statusOverrides']>): typeof table {
  for (const [code, status] of Object.entries(table)) {
    oneOf('statusOverrides', code, UPLOAD_ERROR_CODES);
    if (Number.isInteger(status) && status >= 400 && status <= 599) continue;
    throw new InvalidOptionError(
      `statusOverrides.${code} must be a status from 400 to 599, not ${show(status)}.`,
    );
  }
  return table;
}
