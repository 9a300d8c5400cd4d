import { setTimeout as sleep } from 'node:timers/promises';
import type { UploadError } from '../errors/upload-error.js';
import type { AbstractChunkedUpload } from '../persistence/abstract-chunked-upload.entity.js';
import type { ChunkClaim, Lease } from '../persistence/lease.repository.js';
import type { LeaseRequest } from '../persistence/lease-requests.js';
import type { Sighting } from '../persistence/upload.repository.js';
import type { UploadScope } from '../persistence/upload-table.js';
import { type EngineContext, takeLease } from './engine-context.js';
import type { LingeringLeases } from './lingering-leases.js';
import { chunkRefusal, requireIntact, requireUsable } from './refusal.js';

/** A holder that hears the request syncs and commits what it has first; together these are a second. */
const ASK_AGAIN_AFTER_MS = [25, 75, 150, 250, 500];
/** One that only gives back what is left over has nothing to end first. */
const LEFTOVER_AFTER_MS = [25, 75, 150];

/** An upload and the lease to write it. */
export interface Leased<Entity> {
  readonly upload: Entity;
  readonly lease: Lease;
}

/** Takes leases: one statement when all is well; when not, one look at the row says why. */
export class LeaseClaimer<Entity extends AbstractChunkedUpload> {
  constructor(
    private readonly context: EngineContext<Entity>,
    private readonly lingering: LingeringLeases<Entity>,
  ) {}

  /** @throws UploadError `not_found`, `expired`, `failed`, `already_complete`, `offset_mismatch`, `size_mismatch`, `busy`. */
  async claimChunk(claim: ChunkClaim): Promise<Leased<Entity>> {
    await this.endOlder(claim);
    const { leases } = this.context.repositories;
    const take = (takesOver: boolean) =>
      takeLease(this.context, (lease) => leases.claim(claim, lease), takesOver);
    return this.takeOrRefuse(claim, take, (sighting) => {
      const refusal = chunkRefusal(sighting, claim);
      if (sighting.upload.status !== 'uploading') throw refusal;
      return this.askOrRefuse(sighting.upload, claim.start, { refusal, take });
    });
  }

  /**
   * When only a lease is in the way, asks its holder for it. @throws the refusal, when that is of no use.
   * @param start as in {@link LeaseRequest}.
   */
  async askOrRefuse(
    upload: Entity,
    start: number | null,
    { refusal, take }: { refusal: UploadError; take: (takesOver: boolean) => Promise<Leased<Entity> | null> },
  ): Promise<Leased<Entity>> {
    const taken = refusal.code === 'busy' ? await this.ask(upload, start, take) : null;
    if (!taken) throw refusal;
    return taken;
  }

  /** Asks whoever holds the lease to let go, and takes it as soon as that has happened; null when it did not. */
  async ask<Result>(
    { id, leaseToken, leaseHolder }: Entity,
    start: number | null,
    take: (takesOver: boolean) => Promise<Result | null>,
  ): Promise<Result | null> {
    if (leaseToken === null) return take(false);
    // In this process the older one was ended before: whoever has it now is as new as this request.
    if (leaseHolder !== null && this.context.holder.isSelf(leaseHolder)) return null;
    await this.context.requests.ask({ uploadId: id, token: leaseToken, holder: leaseHolder, start });
    for (const delayMs of start === null ? LEFTOVER_AFTER_MS : ASK_AGAIN_AFTER_MS) {
      await sleep(delayMs);
      const taken = await take(false);
      if (taken) return taken;
    }
    // It may have run out while we asked.
    return take(true);
  }

  /**
   * Runs `take`, and once more when what stood in its way was a lease that is over: of a holder that provably ended, of the
   * chunk before (it lingers here), or, when the time is up, of one that may only be paused, and whose bytes are then left
   * to it.
   * @param refuse answers for the row as it is; it may throw.
   */
  async takeOrRefuse<Result, Other = never>(
    { id, scope }: { id: string; scope: UploadScope },
    take: (takesOver: boolean) => Promise<Result | null>,
    refuse: (sighting: Sighting<Entity>) => Other | Promise<Other>,
  ): Promise<Result | Other> {
    const taken = await take(false);
    if (taken) return taken;
    const sighting = await this.context.repositories.uploads.sight(id, scope);
    requireUsable(sighting);
    requireIntact(sighting.upload);
    const isOver = sighting.upload.leaseToken !== null && sighting.leaseSeconds === null;
    if ((await this.releaseIfUnused(sighting.upload)) || isOver) {
      const retaken = await take(true);
      if (retaken) return retaken;
    }
    return refuse(sighting);
  }

  /**
   * What to do when a process asks for a lease: the write that has it ends. One that no write has is given back: it lingers
   * for the next chunk, or the database was away when it was to be given back, or when it was granted.
   */
  heed({ uploadId, token, holder, start }: LeaseRequest): void {
    if (start !== null) this.context.active.letGo(uploadId, token, start);
    if (holder === null || !this.context.holder.isSelf(holder)) return;
    const lease = { id: uploadId, leaseToken: token, leaseHolder: holder };
    // When the database is away again, whoever asks will do so again.
    this.releaseIfUnused(lease).catch(() => undefined);
  }

  /** Gives back a lease that no chunk is written under: of a holder that ended, or one that lingers; whether there was one. */
  async releaseIfUnused({
    id,
    leaseToken,
    leaseHolder,
  }: Pick<AbstractChunkedUpload, 'id' | 'leaseToken' | 'leaseHolder'>): Promise<boolean> {
    if (leaseToken === null || leaseHolder === null) return false;
    const { active, holder, repositories } = this.context;
    if (await this.lingering.giveBack(id, leaseToken)) return true;
    const isDead = holder.isSelf(leaseHolder) ? !active.holds(leaseToken) : holder.isGone(leaseHolder);
    if (isDead) await repositories.leases.release(id, leaseToken);
    return isDead;
  }

  /** A newer request of the same caller ends the older one in this process, once it is known that it may. */
  private async endOlder({ id, scope, start }: ChunkClaim): Promise<void> {
    if (!this.context.active.get(id)) return;
    requireUsable(await this.context.repositories.uploads.sight(id, scope));
    await this.context.active.takeOver(id, start);
  }
}
