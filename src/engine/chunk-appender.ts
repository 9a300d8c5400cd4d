import { isDeepStrictEqual } from 'node:util';
import { UploadError } from '../errors/upload-error.js';
import type { AbstractChunkedUpload } from '../persistence/abstract-chunked-upload.entity.js';
import type { StorageWriter } from '../storage/storage-driver.interface.js';
import type { ActiveWrite } from './active-writes.js';
import { ChunkReceiver } from './chunk-receiver.js';
import { ChunkSession, type StoredChunk } from './chunk-session.js';
import type { ChunkWindow } from './chunk-window.js';
import type { EngineContext } from './engine-context.js';
import type { LeaseClaimer, Leased } from './lease-claimer.js';
import type { LingeringLeases } from './lingering-leases.js';
import { giveBackAfter, leaseLost } from './lost-lease.js';
import type { AppendCommand } from './upload-commands.js';
import { admitWindow } from './upload-policy.js';

/** A lease that a chunk is written under. */
interface HeldLease<Entity> extends Leased<Entity> {
  /** Open already, where it was kept from the chunk before. */
  readonly writer?: StorageWriter;
  /** When that was, by the clock of `performance.now()`. */
  readonly takenAt?: number;
}

/**
 * Appends chunks: claim, write in place, sync, commit. Two round trips, or one where chunk follows chunk; no connection
 * is held in between.
 */
export class ChunkAppender<Entity extends AbstractChunkedUpload> {
  constructor(
    private readonly context: EngineContext<Entity>,
    private readonly claimer: LeaseClaimer<Entity>,
    private readonly lingering: LingeringLeases<Entity>,
  ) {}

  async append(command: AppendCommand): Promise<Entity> {
    const { caller, window, stream } = command;
    if (window) admitWindow(caller.limits, window);
    const receiver = stream && new ChunkReceiver(stream, this.context.policy.idleTimeoutMs, true);
    try {
      return await this.appendFrom(command, receiver);
    } finally {
      receiver?.drop();
    }
  }

  private async appendFrom(command: AppendCommand, receiver: ChunkReceiver | null): Promise<Entity> {
    const { caller, id, window } = command;
    const { start, end, total } = window ?? { start: 0, end: null, total: null };
    const leased: HeldLease<Entity> =
      this.lingering.take(id, caller, window) ??
      (await this.claimer.claimChunk({ id, scope: caller, start, end, total }));
    const write = this.context.active.enter(id, leased.lease.token, start);
    try {
      return await this.receive(command, { leased, write, receiver });
    } catch (error) {
      // Before the session had it, a hook may have refused; behind the session this does nothing.
      const lost: unknown = await leased.writer?.abort().catch((failed: unknown) => failed);
      throw await this.giveBack(leased, lost ?? error);
    } finally {
      write.leave();
    }
  }

  private async receive(
    { caller, window, open }: AppendCommand,
    {
      leased,
      write,
      receiver,
    }: { leased: HeldLease<Entity>; write: ActiveWrite; receiver: ChunkReceiver | null },
  ): Promise<Entity> {
    const { hooks, events } = this.context;
    await hooks.beforeChunk?.(leased.upload, window, caller);
    const staysOpen = this.lingering.isWorthwhile(leased.upload, window);
    const input = { caller, open, window, isCreation: false, receiver, writer: leased.writer, staysOpen };
    const chunk = await new ChunkSession(this.context, leased, write).store(input);
    const upload = await this.commit(leased, chunk, window);
    this.lingering.count(upload, window?.start ?? 0);
    if (chunk.next) this.lingering.keep({ upload, lease: leased.lease, scope: caller, writer: chunk.next });
    events.emit('chunkReceived', upload);
    if (chunk.interruption) throw chunk.interruption;
    return upload;
  }

  /** Makes a stored chunk the row's, and gives the lease back with it, unless a writer is open for the next one. */
  async commit(leased: HeldLease<Entity>, chunk: StoredChunk, window: ChunkWindow | null): Promise<Entity> {
    const { upload, lease } = leased;
    const isWholeFile = window === null && chunk.interruption === null;
    const { policy, repositories } = this.context;
    let committed: Entity | null = null;
    try {
      committed = await repositories.leases.commit({
        id: upload.id,
        token: lease.token,
        offset: chunk.offset,
        size: isWholeFile ? chunk.offset : (window?.total ?? null),
        digestState: chunk.digestState,
        storageState: chunk.storageState,
        expiresInMs: policy.expiresInMs,
        unclaimedForMs: leased.takenAt === undefined ? null : performance.now() - leased.takenAt,
        keepsForMs: chunk.next && this.lingering.ttlMs,
        // A crash of PostgreSQL must not lead back to bytes that this commit replaces, or to a creation that is nobody's.
        isDurable:
          policy.durability === 'chunk' || !isDeepStrictEqual(chunk.storageState, upload.storageState),
      });
    } finally {
      if (!committed) await chunk.next?.abort();
    }
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
