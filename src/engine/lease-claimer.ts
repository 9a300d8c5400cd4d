import type { AbstractChunkedUpload } from '../persistence/abstract-chunked-upload.entity.js';
import type { ChunkClaim, Lease } from '../persistence/lease.repository.js';
import type { Sighting } from '../persistence/upload.repository.js';
import type { UploadScope } from '../persistence/upload-table.js';
import { type EngineContext, newLease } from './engine-context.js';
import { chunkRefusal, requireIntact, requireUsable } from './refusal.js';

/** An upload and the lease to write it. */
export interface Leased<Entity> {
  readonly upload: Entity;
  readonly lease: Lease;
}

/** Takes leases: one statement when all is well; when not, one look at the row says why. */
export class LeaseClaimer<Entity extends AbstractChunkedUpload> {
  constructor(private readonly context: EngineContext<Entity>) {}

  /** @throws UploadError `not_found`, `expired`, `failed`, `already_complete`, `offset_mismatch`, `size_mismatch`, `busy`. */
  async claimChunk(claim: ChunkClaim): Promise<Leased<Entity>> {
    await this.endOlder(claim);
    const take = async () => {
      const lease = newLease(this.context);
      const upload = await this.context.repositories.leases.claim(claim, lease);
      return upload && { upload, lease };
    };
    return this.withDeadRemoved(claim.id, claim.scope, take, (sighting) => {
      throw chunkRefusal(sighting, claim);
    });
  }

  /**
   * Runs `take`, and once more when what stood in its way was the lease of a holder that provably ended.
   * @param refuse answers for the row as it is; it may throw.
   */
  async withDeadRemoved<Result, Other = never>(
    id: string,
    scope: UploadScope,
    take: () => Promise<Result | null>,
    refuse: (sighting: Sighting<Entity>) => Other,
  ): Promise<Result | Other> {
    const taken = await take();
    if (taken) return taken;
    const sighting = await this.context.repositories.uploads.sight(id, scope);
    requireUsable(sighting);
    requireIntact(sighting.upload);
    if (await this.releaseIfDead(sighting)) {
      const retaken = await take();
      if (retaken) return retaken;
    }
    return refuse(sighting);
  }

  /** Gives back the lease of a holder that ended without doing so; whether there was one. */
  async releaseIfDead({ upload, leaseSeconds }: Sighting<Entity>): Promise<boolean> {
    const { id, leaseToken, leaseHolder } = upload;
    if (leaseSeconds === null || leaseToken === null || leaseHolder === null) return false;
    const { active, holder, repositories } = this.context;
    const isOver = holder.isSelf(leaseHolder)
      ? active.get(id)?.token !== leaseToken
      : holder.isGone(leaseHolder);
    if (isOver) await repositories.leases.release(id, leaseToken);
    return isOver;
  }

  /** A newer request of the same caller ends the older one in this process, once it is known that it may. */
  private async endOlder({ id, scope, start }: ChunkClaim): Promise<void> {
    if (!this.context.active.get(id)) return;
    requireUsable(await this.context.repositories.uploads.sight(id, scope));
    await this.context.active.takeOver(id, start);
  }
}
