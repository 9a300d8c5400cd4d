import { UploadError } from '../errors/upload-error.js';
import type { AbstractChunkedUpload } from '../persistence/abstract-chunked-upload.entity.js';
import { takenOver } from './active-writes.js';
import { type EngineContext, storedUpload } from './engine-context.js';
import { expired, notFound } from './refusal.js';

/** How storage fails when somebody else deletes or moves the bytes meanwhile. */
const STORAGE_CODES = new Set(['failed', 'storage_unavailable']);

/**
 * What to answer when the lease was lost: the upload is somebody else's to write, or gone. Of one that is gone, whatever
 * this process wrote since is deleted too.
 */
export async function leaseLost<Entity extends AbstractChunkedUpload>(
  { repositories, driver }: EngineContext<Entity>,
  upload: Entity,
): Promise<UploadError> {
  const sighting = await repositories.uploads.sight(upload.id, { userId: null, restricted: false });
  if (sighting && sighting.upload.status !== 'deleting') {
    const { status } = sighting.upload;
    return sighting.isExpired && status === 'uploading' ? expired() : takenOver();
  }
  await driver.discard(storedUpload(upload));
  return notFound();
}

/**
 * Gives a lease back after a failure, and says what to answer: the failure, unless storage failed only because the lease
 * was lost. When the database is away, the lease runs out by itself.
 */
export async function giveBackAfter<Entity extends AbstractChunkedUpload>(
  context: EngineContext<Entity>,
  upload: Entity,
  error: unknown,
  giveBack: Promise<boolean>,
): Promise<unknown> {
  const wasHeld = await giveBack.catch(() => true);
  if (wasHeld || !UploadError.is(error) || !STORAGE_CODES.has(error.code)) return error;
  return leaseLost(context, upload).catch(() => error);
}
