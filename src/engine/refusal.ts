import { UploadError } from '../errors/upload-error.js';
import type { AbstractChunkedUpload } from '../persistence/abstract-chunked-upload.entity.js';
import { violationOf } from '../persistence/database-failure.js';
import type { Sighting } from '../persistence/upload.repository.js';
import type { ChunkWindow } from './chunk-window.js';

/** The same for an upload that does not exist, one of somebody else and one being deleted. */
export function notFound(): UploadError {
  return new UploadError('not_found', 'There is no such upload.');
}

export function expired(): UploadError {
  return new UploadError('expired', 'This upload has expired. Start a new one.');
}

export function offsetMismatch(expectedOffset: number, providedOffset: number): UploadError {
  return new UploadError(
    'offset_mismatch',
    `The chunk starts at byte ${providedOffset}, but the next byte expected is ${expectedOffset}. Go on from there.`,
    { offset: expectedOffset, expectedOffset, providedOffset },
  );
}

export function busy(seconds: number | null): UploadError {
  return new UploadError('busy', 'Another request is working on this upload. Try again in a moment.', {
    retryAfter: Math.max(1, Math.ceil(seconds ?? 1)),
  });
}

export function idleTimeout(): UploadError {
  return new UploadError(
    'idle_timeout',
    'The body stopped arriving. Ask for the offset and go on from there.',
  );
}

export function alreadyComplete(offset: number): UploadError {
  return new UploadError('already_complete', 'This upload is complete already.', { offset });
}

export function notUnique(): UploadError {
  return new UploadError('refused', 'There is an upload already with what there may be only one of.');
}

/** The error of a statement that wrote columns of the app's own, as a client may know it. */
export function asRefusal(error: unknown): unknown {
  const violation = violationOf(error);
  if (violation === 'unique') return notUnique();
  if (violation === null) return error;
  return new UploadError('refused', 'What the upload refers to is not there.', { cause: error });
}

/** Refuses whoever may not use an upload any more, whatever they want of it. */
export function requireUsable<Entity extends AbstractChunkedUpload>(
  sighting: Sighting<Entity> | null,
): asserts sighting is Sighting<Entity> {
  if (!sighting) throw notFound();
  const { upload, isExpired } = sighting;
  if (upload.status === 'deleting') throw upload.storageKey === null || isExpired ? expired() : notFound();
  if (isExpired && (upload.status === 'uploading' || upload.status === 'completing')) throw expired();
}

/** Refuses writing to an upload that storage has lost bytes of. */
export function requireIntact({ status }: AbstractChunkedUpload): void {
  if (status !== 'failed') return;
  throw new UploadError('failed', 'Bytes of this upload were lost in the storage. Start a new upload.');
}

/** Why a chunk could not be claimed, from the row as it is now. */
export function chunkRefusal(
  { upload, leaseSeconds }: Sighting<AbstractChunkedUpload>,
  window: Pick<ChunkWindow, 'start' | 'total'> & { end: number | null },
): UploadError {
  if (upload.status === 'complete') return alreadyComplete(upload.offset);
  if (upload.status === 'completing') return busy(leaseSeconds);
  if (upload.offset !== window.start) return offsetMismatch(upload.offset, window.start);
  if (upload.size !== null && window.total !== null && upload.size !== window.total) {
    return sizeMismatch(upload, `The chunk says the file has ${window.total} bytes`);
  }
  if (upload.size !== null && window.end !== null && window.end > upload.size) {
    return sizeMismatch(upload, `The chunk ends at byte ${window.end}`);
  }
  return busy(leaseSeconds);
}

function sizeMismatch({ size, offset }: AbstractChunkedUpload, said: string): UploadError {
  return new UploadError('size_mismatch', `${said}, but ${size} bytes were declared before.`, { offset });
}

/** Why an upload could not be claimed for completion. */
export function completionRefusal({ upload, leaseSeconds }: Sighting<AbstractChunkedUpload>): UploadError {
  const { status, offset, size } = upload;
  if (status === 'uploading' && size !== null && offset !== size) {
    return new UploadError(
      'incomplete',
      `${offset} of ${size} bytes have arrived. Send the rest, then complete.`,
      {
        offset,
        expectedOffset: offset,
      },
    );
  }
  return busy(leaseSeconds);
}
