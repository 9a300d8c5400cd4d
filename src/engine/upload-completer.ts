import { UploadError } from '../errors/upload-error.js';
import type { AbstractChunkedUpload } from '../persistence/abstract-chunked-upload.entity.js';
import type { Checksums } from './checksum-algorithm.js';
import { compareChecksums } from './checksum-comparison.js';
import { settle } from './active-writes.js';
import { digestAt } from './digest-at.js';
import { type EngineContext, storedUpload, takeLease } from './engine-context.js';
import { admitFirstBytes, mediaTypeOf, SNIFF_BYTES } from './file-type.js';
import type { LeaseClaimer, Leased } from './lease-claimer.js';
import { keepLease } from './lease-keeper.js';
import { giveBackAfter, leaseLost } from './lost-lease.js';
import { completionRefusal } from './refusal.js';
import type { Caller, CompleteCommand } from './upload-commands.js';
import { admitSize, type UploadLimits } from './upload-policy.js';

/**
 * Completes uploads in constant time: the running digest is compared, the file gets its final name, and one
 * transaction makes the row and the app's own changes visible together.
 */
export class UploadCompleter<Entity extends AbstractChunkedUpload> {
  constructor(
    private readonly context: EngineContext<Entity>,
    private readonly claimer: LeaseClaimer<Entity>,
  ) {}

  async complete({ caller, id, checksums }: CompleteCommand): Promise<Entity> {
    const { active, repositories } = this.context;
    const write = active.get(id);
    // The last chunk may be here already, its answer lost: nothing more to receive, only to commit.
    if (write && !write.isReceiving) await settle(write);
    const take = (takesOver: boolean) =>
      takeLease(this.context, (lease) => repositories.completions.claim(id, caller, lease), takesOver);
    const claimed = await this.claimer.takeOrRefuse({ id, scope: caller }, take, async (sighting) => {
      const { upload } = sighting;
      if (upload.status === 'complete') return repeat(upload, checksums);
      // No chunk that is under way ends for it, but what is left of one in another process does.
      const refusal = completionRefusal(sighting);
      return this.claimer.askOrRefuse(upload, null, { refusal, take });
    });
    return 'lease' in claimed ? this.underLease(claimed, caller, checksums) : claimed.repeated;
  }

  private async underLease(
    leased: Leased<Entity>,
    caller: Caller,
    checksums: CompleteCommand['checksums'],
  ): Promise<Entity> {
    const { upload, lease } = leased;
    const { completions, leases } = this.context.repositories;
    const progress = { isSealed: false };
    try {
      const row = await keepLease(leases, { id: upload.id, lease, onLost: () => undefined }, async () => {
        const computed = await this.admit(upload, caller, checksums);
        const storageState = await this.context.driver.finish(storedUpload(upload), upload.offset);
        progress.isSealed = true;
        return { checksums: computed, storageState };
      });
      // Its transaction locks the row: extending the lease would wait for it, on a connection of the pool each time.
      return await this.commit(upload, row, caller);
    } catch (error) {
      const giveBack = UploadError.is(error, 'failed')
        ? leases.fail(upload.id, lease.token)
        : completions.revert(upload.id, lease.token, progress.isSealed);
      throw await giveBackAfter(this.context, upload, error, giveBack);
    } finally {
      this.context.active.drop(lease.token);
    }
  }

  /** Everything that may refuse a completion, before anything is changed. Returns the checksums. */
  private async admit(
    upload: Entity,
    caller: Caller,
    given: CompleteCommand['checksums'],
  ): Promise<Checksums> {
    const { driver, hooks } = this.context;
    const digest = await digestAt(driver, upload);
    const computed = digest.finish();
    digest.release();
    if (given) compareChecksums(given, computed);
    admitSize(caller.limits, upload.offset);
    await this.inspect(upload, caller.limits);
    await hooks.beforeComplete?.(upload, caller);
    return computed;
  }

  /** Once more, now that the first bytes are all there: the first chunk may have been too short to tell. */
  private async inspect(upload: Entity, { allowedMimeTypes }: UploadLimits): Promise<void> {
    const { driver } = this.context;
    if (!allowedMimeTypes) return;
    const end = Math.min(upload.offset, SNIFF_BYTES);
    const pieces = await driver.read(storedUpload(upload), { start: 0, end }).toArray();
    const bytes = Buffer.concat(pieces as Buffer[]);
    const declared = mediaTypeOf(upload.contentType, upload.filename);
    await admitFirstBytes({ bytes, isAll: true }, declared, allowedMimeTypes);
  }

  private async commit(
    upload: Entity,
    row: { checksums: Checksums; storageState: Readonly<Record<string, unknown>> },
    caller: Caller,
  ): Promise<Entity> {
    const { hooks, events, repositories } = this.context;
    const { completions } = repositories;
    const done = hooks.onComplete
      ? await completions.completeWith(upload, row, async (completed, manager) => {
          // What it throws at once is its own as well.
          return await hooks.onComplete?.(completed, { ...caller, manager });
        })
      : await completions.complete(upload, row);
    if (!done) throw await leaseLost(this.context, upload);
    events.emit('completed', done);
    return done;
  }
}

/** The answer to a completion of an upload that is complete: the same again. */
function repeat<Entity extends AbstractChunkedUpload>(
  upload: Entity,
  given: CompleteCommand['checksums'],
): { repeated: Entity } {
  if (given) compareChecksums(given, upload.checksums);
  return { repeated: upload };
}
