import { UploadError } from '../errors/upload-error.js';
import type { AbstractChunkedUpload } from '../persistence/abstract-chunked-upload.entity.js';
import { takenOver } from './active-writes.js';
import { ChunkSession, type SessionInput, type StoredChunk } from './chunk-session.js';
import { type EngineContext, storedUpload } from './engine-context.js';
import type { LeaseClaimer, Leased } from './lease-claimer.js';
import { notFound } from './refusal.js';
import type { AppendCommand } from './upload-commands.js';
import { admitWindow } from './upload-policy.js';

/** Appends chunks: claim, write in place, sync, commit. Two round trips, no connection held in between. */
export class ChunkAppender<Entity extends AbstractChunkedUpload> {
  constructor(
    private readonly context: EngineContext<Entity>,
    private readonly claimer: LeaseClaimer<Entity>,
  ) {}

  async append({ caller, id, window, body }: AppendCommand): Promise<Entity> {
    const { policy, hooks, events, active } = this.context;
    if (window) admitWindow(policy, window);
    const { start, end, total } = window ?? { start: 0, end: null, total: null };
    const leased = await this.claimer.claimChunk({ id, scope: caller, start, end, total });
    const write = active.enter(id, leased.lease.token, start);
    const input = { body, window, keepsPrefix: body.keepsPrefix };
    try {
      await hooks.beforeChunk?.(leased.upload, window, caller);
      const chunk = await new ChunkSession(this.context, leased, write).store(input);
      const upload = await this.commit(leased, chunk, input);
      events.emit('chunkReceived', upload);
      if (chunk.interruption) throw chunk.interruption;
      return upload;
    } catch (error) {
      await this.giveBack(leased, error);
      throw error;
    } finally {
      write.leave();
    }
  }

  /** Makes a stored chunk the row's, and gives the lease back with it. */
  async commit({ upload, lease }: Leased<Entity>, chunk: StoredChunk, input: SessionInput): Promise<Entity> {
    const isWholeFile = input.window === null && chunk.interruption === null;
    const committed = await this.context.repositories.leases.commit({
      id: upload.id,
      token: lease.token,
      offset: chunk.offset,
      size: isWholeFile ? chunk.offset : (input.window?.total ?? null),
      digestState: chunk.digestState,
      storageState: chunk.storageState,
      expiresInMs: this.context.policy.expiresInMs,
    });
    if (!committed) throw await this.fenced(upload);
    await chunk.writer.published();
    return committed;
  }

  /** The lease was lost while writing: nothing was acknowledged. Bytes of an upload that is gone are deleted. */
  private async fenced(upload: Entity): Promise<UploadError> {
    const sighting = await this.context.repositories.uploads.sight(upload.id, {
      userId: null,
      restricted: false,
    });
    if (sighting && sighting.upload.status !== 'deleting') return takenOver();
    await this.context.driver.discard(storedUpload(upload));
    return notFound();
  }

  /** After a failure: the error is the answer, whatever the database says now; the lease runs out by itself. */
  private async giveBack({ upload, lease }: Leased<Entity>, error: unknown): Promise<void> {
    const { leases } = this.context.repositories;
    const isLost = UploadError.is(error, 'failed');
    const givenBack = isLost ? leases.fail(upload.id, lease.token) : leases.release(upload.id, lease.token);
    await givenBack.catch(() => undefined);
  }
}
