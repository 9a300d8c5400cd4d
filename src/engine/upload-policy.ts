import { UploadError } from '../errors/upload-error.js';
import type { Quota } from '../persistence/upload.repository.js';
import type { StorageFolder } from '../storage/storage-key.js';
import type { ChecksumAlgorithm } from './checksum-algorithm.js';
import { type ChunkWindow, lengthOf } from './chunk-window.js';
import { hasExtension } from './file-name.js';
import { isTypeAllowed } from './file-type.js';
import type { HookContext } from './upload-hooks.interface.js';

/** `'chunk'`: every acknowledged chunk is synced to disk. `'complete'`: one sync, at completion. */
export type Durability = 'chunk' | 'complete';

/** The domain object an upload belongs to. */
export interface Owner {
  readonly type: string;
  readonly id: string;
}

/** What one request may send. */
export interface UploadLimits {
  readonly maxBytes: number;
  readonly minBytes: number;
  readonly maxChunkBytes: number;
  /** Lower case, without dot; null for all. */
  readonly allowedExtensions: readonly string[] | null;
  /** Lower case; null for all. */
  readonly allowedMimeTypes: readonly string[] | null;
}

/** The rules of one upload type, as resolved from its options: complete, frozen, in bytes and milliseconds. */
export interface UploadPolicy {
  /** What one user may have unfinished; null for any amount. */
  readonly quota: Quota | null;
  readonly maxFilenameBytes: number;
  readonly expiresInMs: number;
  readonly algorithms: readonly ChecksumAlgorithm[];
  readonly durability: Durability;
  readonly idleTimeoutMs: number;
  readonly leaseTtlMs: number;
  /** 0: a lease is given back after every chunk. */
  readonly leaseLingerMs: number;
  readonly keepRecords: boolean;
  /** Where in the storage bytes go. */
  readonly folder: StorageFolder;
  /** @throws UploadError `owner_not_allowed` when this user may not attach an upload to that object. */
  readonly admitOwner: (owner: Owner, context: HookContext) => Promise<void>;
}

/** Refuses a chunk by what its headers say, before a byte of it is read. */
export function admitWindow(limits: UploadLimits, window: ChunkWindow): void {
  const length = lengthOf(window);
  if (length > limits.maxChunkBytes) throw chunkTooLarge(limits);
  if ((window.total ?? window.end) > limits.maxBytes) throw tooLarge(limits);
  if (window.total !== null) admitSize(limits, window.total);
}

/** Refuses a file by its final size. */
export function admitSize(limits: UploadLimits, size: number): void {
  if (size > limits.maxBytes) throw tooLarge(limits);
  if (size >= limits.minBytes) return;
  throw new UploadError(
    'too_small',
    `A file needs at least ${limits.minBytes} bytes; this one has ${size}.`,
    {
      limitBytes: limits.minBytes,
    },
  );
}

/** Refuses a creation without a total where bytes are counted by what is declared. */
export function requireCountable({ quota }: UploadPolicy, window: ChunkWindow | null): void {
  if (!quota || quota.bytes === Number.MAX_SAFE_INTEGER || !window || window.total !== null) return;
  const message =
    'Unfinished bytes are limited here: declare the total, Content-Range: bytes <start>-<end>/<total>.';
  throw new UploadError('quota_exceeded', message, { limitBytes: quota.bytes });
}

/** Refuses a file by its name and declared media type. */
export function admitName(limits: UploadLimits, filename: string, contentType: string): void {
  const { allowedExtensions, allowedMimeTypes } = limits;
  if (allowedExtensions && !allowedExtensions.some((extension) => hasExtension(filename, extension))) {
    throw new UploadError(
      'type_not_allowed',
      `File names must end in one of: .${allowedExtensions.join(', .')}.`,
    );
  }
  if (allowedMimeTypes && !isTypeAllowed(contentType, allowedMimeTypes)) {
    throw new UploadError(
      'type_not_allowed',
      `The media type ${contentType} is not allowed; allowed are: ${allowedMimeTypes.join(', ')}.`,
    );
  }
}

/** The error for a file beyond the limit. */
export function tooLarge({ maxBytes }: UploadLimits): UploadError {
  return new UploadError('too_large', `A file may have at most ${maxBytes} bytes.`, { limitBytes: maxBytes });
}

/** The error for a chunk beyond the limit. */
export function chunkTooLarge({ maxChunkBytes }: UploadLimits): UploadError {
  return new UploadError(
    'chunk_too_large',
    `A chunk may have at most ${maxChunkBytes} bytes. Send smaller chunks.`,
    {
      limitBytes: maxChunkBytes,
    },
  );
}
