import { UploadError } from '../errors/upload-error.js';
import type { Quota } from '../persistence/upload.repository.js';
import type { ChecksumAlgorithm } from './checksum-algorithm.js';
import { type ChunkWindow, lengthOf } from './chunk-window.js';
import { extensionOf } from './file-name.js';
import { isTypeAllowed } from './file-type.js';

/** `'chunk'`: every acknowledged chunk is synced to disk. `'complete'`: one sync, at completion. */
export type Durability = 'chunk' | 'complete';

/** The domain object an upload belongs to. */
export interface Owner {
  readonly type: string;
  readonly id: string;
}

/** The rules of one upload type, as resolved from its options: complete, frozen, in bytes and milliseconds. */
export interface UploadPolicy {
  readonly maxBytes: number;
  readonly minBytes: number;
  readonly maxChunkBytes: number;
  /** What one user may have unfinished; null for any amount. */
  readonly quota: Quota | null;
  readonly maxFilenameBytes: number;
  /** Lower case, without dot; null for all. */
  readonly allowedExtensions: readonly string[] | null;
  /** Lower case; null for all. */
  readonly allowedMimeTypes: readonly string[] | null;
  readonly expiresInMs: number;
  readonly algorithms: readonly ChecksumAlgorithm[];
  readonly durability: Durability;
  readonly idleTimeoutMs: number;
  readonly leaseTtlMs: number;
  readonly keepRecords: boolean;
  /** @throws UploadError `owner_not_allowed` when this user may not attach an upload to that object. */
  readonly admitOwner: (owner: Owner, userId: string | null) => Promise<void>;
}

/** Refuses a chunk by what its headers say, before a byte of it is read. */
export function admitWindow(policy: UploadPolicy, window: ChunkWindow): void {
  const length = lengthOf(window);
  if (length > policy.maxChunkBytes) throw chunkTooLarge(policy);
  if ((window.total ?? window.end) > policy.maxBytes) throw tooLarge(policy);
  if (window.total !== null) admitSize(policy, window.total);
}

/** Refuses a file by its final size. */
export function admitSize(policy: UploadPolicy, size: number): void {
  if (size > policy.maxBytes) throw tooLarge(policy);
  if (size >= policy.minBytes) return;
  throw new UploadError(
    'too_small',
    `A file needs at least ${policy.minBytes} bytes; this one has ${size}.`,
    {
      limitBytes: policy.minBytes,
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
export function admitName(policy: UploadPolicy, filename: string, contentType: string): void {
  const { allowedExtensions, allowedMimeTypes } = policy;
  if (allowedExtensions && !allowedExtensions.includes(extensionOf(filename))) {
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
export function tooLarge({ maxBytes }: UploadPolicy): UploadError {
  return new UploadError('too_large', `A file may have at most ${maxBytes} bytes.`, { limitBytes: maxBytes });
}

/** The error for a chunk beyond the limit. */
export function chunkTooLarge({ maxChunkBytes }: UploadPolicy): UploadError {
  return new UploadError(
    'chunk_too_large',
    `A chunk may have at most ${maxChunkBytes} bytes. Send smaller chunks.`,
    {
      limitBytes: maxChunkBytes,
    },
  );
}
