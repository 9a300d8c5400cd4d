import { UploadError } from '../errors/upload-error.js';
import type { AbstractChunkedUpload } from '../persistence/abstract-chunked-upload.entity.js';
import { ChunkReceiver } from './chunk-receiver.js';
import { ChunkSession, type StoredChunk } from './chunk-session.js';
import type { ChunkWindow } from './chunk-window.js';
import type { EngineContext } from './engine-context.js';
import type { LeaseClaimer, Leased } from './lease-claimer.js';
import { giveBackAfter, leaseLost } from './lost-lease.js';
import type { AppendCommand } from './upload-commands.js';
import { admitWindow } from './upload-policy.js';

/** Appends chunks: claim, write in place, sync, commit. Two round trips, no connection held in between. */
export class ChunkAppender<Entity extends AbstractChunkedUpload> {
  constructor(
    private readonly context: EngineContext<Entity>,
    private readonly claimer: LeaseClaimer<Entity>,
  ) {}

  async append(command: AppendCommand): Promise<Entity> {
    const { caller, window, stream } = command;
    if (window) admitWindow(caller.limits, window);
    const receiver = stream && new ChunkReceiver(stream, this.context.policy.idleTimeoutMs);
    try {
      return await this.appendFrom(command, receiver);
    } finally {
      receiver?.drop();
    }
  }

  private async appendFrom(
    { caller, id, window, open }: AppendCommand,
    receiver: ChunkReceiver | null,
  ): Promise<Entity> {
    const { hooks, events, active } = this.context;
    const { start, end, total } = window ?? { start: 0, end: null, total: null };
    const leased = await this.claimer.claimChunk({ id, scope: caller, start, end, total });
    const write = active.enter(id, leased.lease.token, start);
    const input = { caller, open, window, isCreation: false, receiver };
    try {
      await hooks.beforeChunk?.(leased.upload, window, caller);
      const chunk = await new ChunkSession(this.context, leased, write).store(input);
      const upload = await this.commit(leased, chunk, window);
      events.emit('chunkReceived', upload);
      if (chunk.interruption) throw chunk.interruption;
      return upload;
    } catch (error) {
      throw await this.giveBack(leased, error);
    } finally {
      write.leave();
    }
  }

  /** Makes a stored chunk the row's, and gives the lease back with it. */
  async commit(
    { upload, lease }: Leased<Entity>,
    chunk: StoredChunk,
    window: ChunkWindow | null,
  ): Promise<Entity> {
    const isWholeFile = window === null && chunk.interruption === null;
    const committed = await this.context.repositories.leases.commit({
      id: upload.id,
      token: lease.token,
      offset: chunk.offset,
      size: isWholeFile ? chunk.offset : (window?.total ?? null),
      digestState: chunk.digestState,
      storageState: chunk.storageState,
      expiresInMs: this.context.policy.expiresInMs,
    });
    if (!committed) throw await leaseLost(this.context, upload);
    await chunk.writer.published();
    return committed;
  }

  private giveBack({ upload, lease }: Leased<Entity>, error: unknown): Promise<unknown> {
    const { leases } = this.context.repositories;
    const isLost = UploadError.is(error, 'failed');
    const giveBack = isLost ? leases.fail(upload.id, lease.token) : leases.release(upload.id, lease.token);
    return giveBackAfter(this.context, upload, error, giveBack);
  }
}
