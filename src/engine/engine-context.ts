import { randomUUID } from 'node:crypto';
import type { UploadEvents } from '../events/upload-events.js';
import type { AbstractChunkedUpload } from '../persistence/abstract-chunked-upload.entity.js';
import type { Lease } from '../persistence/lease.repository.js';
import type { LeaseRequests } from '../persistence/lease-requests.js';
import type { UploadRepositories } from '../persistence/upload-repositories.js';
import type { StorageDriver, StoredUpload } from '../storage/storage-driver.interface.js';
import type { ActiveWrites } from './active-writes.js';
import type { LeaseHolder } from './lease-holder.js';
import type { UploadHooks } from './upload-hooks.interface.js';
import type { UploadPolicy } from './upload-policy.js';

/** What the parts of one upload type's engine share. */
export interface EngineContext<Entity extends AbstractChunkedUpload> {
  readonly repositories: UploadRepositories<Entity>;
  readonly driver: StorageDriver;
  readonly policy: UploadPolicy;
  readonly hooks: UploadHooks<Entity>;
  readonly events: UploadEvents<Entity>;
  readonly active: ActiveWrites;
  readonly requests: LeaseRequests;
  readonly holder: LeaseHolder;
}

/**
 * Asks for a lease. Its token is random, so that one that was lost can never be issued again; the process knows it before
 * the database does, so that it is never taken for a leftover.
 */
export async function takeLease<Entity>(
  { active, holder, policy }: Pick<EngineContext<never>, 'active' | 'holder' | 'policy'>,
  claim: (lease: Lease) => Promise<Entity | null>,
  takesOver = false,
): Promise<{ upload: Entity; lease: Lease } | null> {
  const lease = { token: randomUUID(), holder: holder.name, ttlMs: policy.leaseTtlMs, takesOver };
  active.hold(lease.token);
  let upload: Entity | null = null;
  try {
    upload = await claim(lease);
    return upload && { upload, lease };
  } finally {
    if (!upload) active.drop(lease.token);
  }
}

/** An upload as its driver knows it. */
export function storedUpload({
  id,
  storageKey,
  generation,
  storageState,
}: AbstractChunkedUpload): StoredUpload {
  if (storageKey === null) throw new Error(`Upload ${id} has no bytes any more.`);
  return { id, storageKey, generation, storageState };
}
