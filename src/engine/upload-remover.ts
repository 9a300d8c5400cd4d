import type { AbstractChunkedUpload } from '../persistence/abstract-chunked-upload.entity.js';
import { hasSettled, StopRequest } from './active-writes.js';
import { type EngineContext, storedUpload } from './engine-context.js';
import { busy, notFound, requireUsable } from './refusal.js';
import type { Caller } from './upload-commands.js';

/** What a creating request may have left. */
type Attempt = Pick<AbstractChunkedUpload, 'id' | 'leaseToken' | 'idempotencyKey'>;

/** Deletes uploads: row to `deleting`, then the bytes, then the row. A crash anywhere leaves what cleanup goes on from. */
export class UploadRemover<Entity extends AbstractChunkedUpload> {
  constructor(private readonly context: EngineContext<Entity>) {}

  /**
   * Deletes an upload in any state; whoever is writing it is cut off.
   * @throws UploadError `not_found`, `expired`, `busy` while it is being completed.
   */
  async cancel(caller: Caller, id: string): Promise<void> {
    const { repositories, active, events } = this.context;
    const upload =
      (await repositories.removals.claim(id, caller, false)) ?? (await this.claimLocked(caller, id));
    const write = active.get(id);
    write?.stop(new StopRequest(notFound(), false));
    // Of a storage that hangs, cleanup deletes the bytes: for everybody else the upload is gone already.
    const isIdle = !write || (await hasSettled(write));
    if (isIdle) await this.erase(upload, false);
    events.emit('cancelled', upload);
  }

  /** @throws UploadError `not_found`, `expired`, `busy` while it is being completed. */
  private async claimLocked(caller: Caller, id: string): Promise<Entity> {
    const { removals, uploads } = this.context.repositories;
    const sighting = await uploads.sight(id, caller);
    if (sighting?.upload.status === 'completing') throw busy(sighting.leaseSeconds);
    // A chunk is being committed, which takes but a moment.
    const upload = sighting && (await removals.claim(id, caller));
    if (upload) return upload;
    requireUsable(sighting);
    throw notFound();
  }

  /** Deletes a complete upload whose file has been given away: nobody's loss, and so no news. */
  async letGo({ id }: Entity): Promise<void> {
    const upload = await this.context.repositories.removals.claim(id, { userId: null, restricted: false });
    if (upload) await this.erase(upload, false);
  }

  /**
   * Deletes what a creating request that failed left. Its commit may have come through without an answer: then the row has
   * no lease any more, but nobody knows its id, unless an idempotency key leads to it.
   */
  async abandon({ id, leaseToken, idempotencyKey }: Attempt): Promise<void> {
    const { removals } = this.context.repositories;
    const upload =
      idempotencyKey === null
        ? await removals.claim(id, { userId: null, restricted: false })
        : leaseToken && (await removals.claimOwn(id, leaseToken));
    if (upload) await this.erase(upload, false);
  }

  /** Deletes an upload of a whole file that could not be completed, unless somebody else is working on it or has done so. */
  async abandonIdle(id: string): Promise<void> {
    const upload = await this.context.repositories.removals.claimIdle(id);
    if (upload) await this.erase(upload, false);
  }

  /** Deletes the bytes of a row that is `deleting`, then the row, or all of it that is not worth a record. */
  async erase(upload: Entity, keepRecord: boolean): Promise<void> {
    const { driver, repositories } = this.context;
    await driver.discard(storedUpload(upload));
    if (keepRecord) await repositories.removals.keepRecord(upload.id);
    else await repositories.removals.remove(upload.id);
  }
}
