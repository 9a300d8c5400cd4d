import type { UploadError } from '../errors/upload-error.js';
import type { AbstractChunkedUpload } from '../persistence/abstract-chunked-upload.entity.js';
import type { StorageState, StorageWriter } from '../storage/storage-driver.interface.js';
import { type ActiveWrite, StopRequest, takenOver } from './active-writes.js';
import { ChunkReceiver, type ReceiveOptions, type ReceiveOutcome } from './chunk-receiver.js';
import { outcomeRefusal } from './chunk-outcome.js';
import { type ChunkWindow, lengthOf } from './chunk-window.js';
import { digestAt } from './digest-at.js';
import { type EngineContext, storedUpload } from './engine-context.js';
import { admitFirstBytes, mediaTypeOf, SNIFF_BYTES } from './file-type.js';
import type { Leased } from './lease-claimer.js';
import { keepLease } from './lease-keeper.js';
import type { DigestState, RunningDigest } from './running-digest.js';
import type { Caller, ChunkBody } from './upload-commands.js';

/** A chunk that is in storage, synced, and not yet in the row. */
export interface StoredChunk {
  /** The offset to commit. */
  readonly offset: number;
  readonly digestState: DigestState;
  readonly storageState: StorageState;
  /** Set when only the part that arrived before a break was stored: the error to answer after committing it. */
  readonly interruption: UploadError | null;
  readonly writer: StorageWriter;
  /** Open where the next chunk begins, if the session was to stay open. */
  readonly next: StorageWriter | null;
}

/** What a session writes, and whether what arrives before a break is of use. */
export interface SessionInput {
  readonly caller: Caller;
  /** Reads up to the first byte. */
  readonly open: () => Promise<ChunkBody>;
  /** Null: as many bytes as come. */
  readonly window: ChunkWindow | null;
  /** Whether nothing of a creating request is kept when it breaks. */
  readonly isCreation: boolean;
  /** Gathers the body already. */
  readonly receiver: ChunkReceiver | null;
  /** Open at the offset already. */
  readonly writer?: StorageWriter;
  /** Whether a writer for the next chunk is of use. */
  readonly staysOpen: boolean;
}

/** Receives one chunk under a lease: claim is behind it, commit ahead of it. */
export class ChunkSession<Entity extends AbstractChunkedUpload> {
  constructor(
    private readonly context: EngineContext<Entity>,
    private readonly leased: Leased<Entity>,
    private readonly write: ActiveWrite,
  ) {}

  /** Writes the body in place and makes it durable. When this rejects, storage holds what it held before. */
  store(input: SessionInput): Promise<StoredChunk> {
    const { upload, lease } = this.leased;
    const { policy, repositories } = this.context;
    const onLost = () => this.write.stop(new StopRequest(takenOver(), false));
    // One that was kept from the chunk before has little time left.
    const firstInMs = input.writer && policy.leaseLingerMs;
    return keepLease(repositories.leases, { id: upload.id, lease, onLost, firstInMs }, async () => {
      const digest = await digestAt(this.context.driver, upload);
      try {
        return await this.storeHashed(input, digest);
      } finally {
        digest.release();
      }
    });
  }

  private async storeHashed(input: SessionInput, digest: RunningDigest): Promise<StoredChunk> {
    const { driver, policy } = this.context;
    const { upload } = this.leased;
    const writer = input.writer ?? (await driver.append(storedUpload(upload), upload.offset));
    try {
      const body = await this.unlessStopped(input.open());
      const receiver =
        input.receiver ?? new ChunkReceiver(body.stream, policy.idleTimeoutMs, body.isDisposable);
      body.onAccepted?.();
      const outcome = await receiver.run(this.reception(receiver, input, { writer, digest }));
      // What follows the file may show that the message is none, which tells more than a wrong length.
      if (outcome.kind === 'ended') await this.unlessStopped(body.isWhole);
      this.write.isReceiving = false;
      const interruption = this.judge(input, body, { outcome, received: receiver.received });
      const stays = input.staysOpen && interruption === null;
      const { state: storageState, next } = await commit(writer, policy.durability === 'chunk', stays);
      const offset = upload.offset + receiver.written;
      return { offset, digestState: digest.save(), storageState, interruption, writer, next };
    } catch (error) {
      await writer.abort();
      throw error;
    }
  }

  /** Waits for a part of a message that is no chunk, as a newer request or the shutdown may end that too. */
  private async unlessStopped<Result>(part: Promise<Result>): Promise<Result> {
    const { signal } = this.write;
    let stop = () => {};
    const stopped = new Promise<never>((_, reject) => {
      stop = () => reject((signal.reason as StopRequest).error);
    });
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    try {
      return await Promise.race([part, stopped]);
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }

  private reception(
    receiver: ChunkReceiver,
    input: SessionInput,
    { writer, digest }: { writer: StorageWriter; digest: RunningDigest },
  ): ReceiveOptions {
    const { caller, window } = input;
    const { maxBytes, maxChunkBytes } = caller.limits;
    const { upload } = this.leased;
    const room = (upload.size ?? maxBytes) - upload.offset;
    return {
      limitBytes: window ? lengthOf(window) : Math.min(room, maxChunkBytes),
      signal: this.write.signal,
      write: async (batch) => {
        if (receiver.written === 0) await this.inspect(batch, input);
        const written = writer.write(batch);
        // On this thread while the batch is being written on another.
        digest.update(batch);
        await written;
        if (this.context.policy.durability === 'chunk') writer.syncAhead?.();
      },
    };
  }

  /** The first bytes of a chunk, before any of them is stored; those of the file tell its type. */
  private async inspect(
    batch: readonly Buffer[],
    { caller, window, isCreation }: SessionInput,
  ): Promise<void> {
    // Of another upload, whose id comes behind them: they are inspected when they are appended there.
    if (isCreation && window && window.start > 0) return;
    const { upload } = this.leased;
    const { inspectChunk } = this.context.hooks;
    const { allowedMimeTypes } = caller.limits;
    const isFirst = upload.offset === 0;
    if (!inspectChunk && !(allowedMimeTypes && isFirst)) return;
    const bytes = Buffer.concat(batch).subarray(0, SNIFF_BYTES);
    if (allowedMimeTypes && isFirst) {
      const isAll = bytes.length === SNIFF_BYTES || window?.total === bytes.length;
      const declared = mediaTypeOf(upload.contentType, upload.filename);
      await admitFirstBytes({ bytes, isAll }, declared, allowedMimeTypes);
    }
    await inspectChunk?.(upload, bytes, caller);
  }

  /** Null: the chunk is whole. An error: the prefix that arrived is to be kept. Throws when nothing is. */
  private judge(
    { caller, window, isCreation }: SessionInput,
    { keepsPrefix }: ChunkBody,
    { outcome, received }: { outcome: ReceiveOutcome; received: number },
  ): UploadError | null {
    const error = outcomeRefusal({ limits: caller.limits, window }, outcome, received);
    if (error === null) return null;
    const isWanted = outcome.kind === 'aborted' ? (outcome.reason as StopRequest).keepsPrefix : true;
    const isBreak = outcome.kind === 'broken' || outcome.kind === 'idle' || outcome.kind === 'aborted';
    if (isBreak && isWanted && keepsPrefix && !isCreation && received > 0) return error;
    throw error;
  }
}

/** Commits the bytes of a chunk, and leaves a writer for the next one where that is wanted and the storage can. */
async function commit(
  writer: StorageWriter,
  durable: boolean,
  staysOpen: boolean,
): Promise<{ state: StorageState; next: StorageWriter | null }> {
  if (staysOpen && writer.commitOpen) return writer.commitOpen(durable);
  return { state: await writer.commit(durable), next: null };
}
