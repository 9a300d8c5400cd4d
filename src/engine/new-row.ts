import { createHash, randomUUID } from 'node:crypto';
import type { AbstractChunkedUpload } from '../persistence/abstract-chunked-upload.entity.js';
import { storageKeyFor } from '../storage/storage-key.js';
import type { CreateCommand } from './upload-commands.js';
import type { UploadPolicy } from './upload-policy.js';

/** What a new upload's row has from the engine. */
export function newRow(
  { folder, algorithms }: UploadPolicy,
  { caller: { userId }, window }: CreateCommand,
): Partial<AbstractChunkedUpload> & { readonly id: string } {
  const id = randomUUID();
  return {
    id,
    storageKey: storageKeyFor({ id, createdAt: new Date(), userId }, folder),
    // A chunk that goes on ends as another upload's; until then it counts with what it can bring.
    size: window && window.start > 0 ? window.end : (window?.total ?? null),
    userId,
    // Which algorithms this upload is received with, whatever the options say later.
    digestState: Object.fromEntries(algorithms.map((algorithm) => [algorithm, ''])),
  };
}

/** An idempotency key belongs to its user: the same key of another user is another key. */
export function scopedKey({ caller, idempotencyKey }: CreateCommand): string | null {
  if (idempotencyKey === undefined) return null;
  return createHash('sha256')
    .update(JSON.stringify([caller.userId, idempotencyKey]))
    .digest('hex');
}
