import { setTimeout as sleep } from 'node:timers/promises';
import { UploadError } from '../errors/upload-error.js';
import type { AbstractChunkedUpload } from '../persistence/abstract-chunked-upload.entity.js';
import type { StorageState, StorageWriter } from '../storage/storage-driver.interface.js';
import { type ActiveWrite, StopRequest, takenOver } from './active-writes.js';
import { ChunkReceiver, type ReceiveOutcome } from './chunk-receiver.js';
import { type ChunkWindow, lengthOf } from './chunk-window.js';
import { digestAt } from './digest-at.js';
import { type EngineContext, storedUpload } from './engine-context.js';
import { admitFirstBytes, mediaTypeOf, SNIFF_BYTES } from './file-type.js';
import type { Leased } from './lease-claimer.js';
import { keepLease } from './lease-keeper.js';
import type { DigestState, RunningDigest } from './running-digest.js';
import type { ChunkBody } from './upload-commands.js';
import { chunkTooLarge, tooLarge } from './upload-policy.js';

/** A chunk that is in storage, synced, and not yet in the row. */
export interface StoredChunk {
  /** The offset to commit. */
  readonly offset: number;
  readonly digestState: DigestState;
  readonly storageState: StorageState;
  /** Set when only the part that arrived before a break was stored: the error to answer after committing it. */
  readonly interruption: UploadError | null;
  readonly writer: StorageWriter;
}

/** What a session writes, and whether what arrives before a break is of use. */
export interface SessionInput {
  readonly body: ChunkBody;
  /** Null: as many bytes as come. */
  readonly window: ChunkWindow | null;
  readonly keepsPrefix: boolean;
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
    const onLost = () => this.write.stop(new StopRequest(takenOver(), false));
    return keepLease(this.context.repositories.leases, { id: upload.id, lease, onLost }, async () => {
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
    const writer = await driver.append(storedUpload(upload), upload.offset);
    try {
      const receiver = this.receiver(input, writer, digest);
      input.body.onAccepted?.();
      const outcome = await receiver.run();
      const interruption = this.judge(input, outcome, receiver.received);
      if (interruption === null) await this.untilWhole(input.body);
      this.write.isReceiving = false;
      const storageState = await writer.commit(policy.durability === 'chunk');
      const offset = upload.offset + receiver.written;
      return { offset, digestState: digest.save(), storageState, interruption, writer };
    } catch (error) {
      await writer.abort();
      throw error;
    }
  }

  /** The rest of a form, behind its file, may be as slow as the file, and be taken over like it. */
  private async untilWhole({ isWhole }: ChunkBody): Promise<void> {
    const { signal } = this.write;
    const silence = new AbortController();
    const idle = sleep(this.context.policy.idleTimeoutMs, null, { signal: silence.signal }).then(() =>
      Promise.reject(idled()),
    );
    const stopped = new Promise((_, reject) => {
      const stop = () => reject((signal.reason as StopRequest).error);
      if (signal.aborted) stop();
      signal.addEventListener('abort', stop, { once: true, signal: silence.signal });
    });
    try {
      await Promise.race([isWhole, idle, stopped]);
    } finally {
      idle.catch(() => undefined);
      silence.abort();
    }
  }

  private receiver(
    { body, window }: SessionInput,
    writer: StorageWriter,
    digest: RunningDigest,
  ): ChunkReceiver {
    const { policy } = this.context;
    const { upload } = this.leased;
    const room = (upload.size ?? policy.maxBytes) - upload.offset;
    const receiver: ChunkReceiver = new ChunkReceiver(body.stream, {
      limitBytes: window ? lengthOf(window) : Math.min(room, policy.maxChunkBytes),
      idleTimeoutMs: policy.idleTimeoutMs,
      signal: this.write.signal,
      write: async (batch) => {
        if (upload.offset === 0 && receiver.written === 0) await this.inspect(batch, window);
        const written = writer.write(batch);
        // On this thread while the batch is being written on another.
        digest.update(batch);
        await written;
      },
    });
    return receiver;
  }

  private async inspect(batch: readonly Buffer[], window: ChunkWindow | null): Promise<void> {
    const { allowedMimeTypes } = this.context.policy;
    if (!allowedMimeTypes) return;
    const bytes = Buffer.concat(batch).subarray(0, SNIFF_BYTES);
    const isAll = bytes.length === SNIFF_BYTES || window?.total === bytes.length;
    const { contentType, filename } = this.leased.upload;
    await admitFirstBytes({ bytes, isAll }, mediaTypeOf(contentType, filename), allowedMimeTypes);
  }

  /** Null: the chunk is whole. An error: the prefix that arrived is to be kept. Throws when nothing is. */
  private judge(input: SessionInput, outcome: ReceiveOutcome, received: number): UploadError | null {
    const error = this.refusal(input, outcome, received);
    if (error === null) return null;
    const isKept = outcome.kind === 'aborted' ? (outcome.reason as StopRequest).keepsPrefix : true;
    const isBreak = outcome.kind === 'broken' || outcome.kind === 'idle' || outcome.kind === 'aborted';
    if (isBreak && isKept && input.keepsPrefix && received > 0) return error;
    throw error;
  }

  private refusal({ window }: SessionInput, outcome: ReceiveOutcome, received: number): UploadError | null {
    switch (outcome.kind) {
      case 'ended':
        return window && received !== lengthOf(window) ? lengthMismatch(window, `${received}`) : null;
      case 'broken':
        // Multipart that is not well-formed breaks with its own error; a lost connection has nobody left to tell.
        return UploadError.is(outcome.cause)
          ? outcome.cause
          : lengthMismatch(window, `only ${received}`, outcome.cause);
      case 'idle':
        return idled();
      case 'excess':
        if (window) return lengthMismatch(window, 'more');
        return received > this.context.policy.maxChunkBytes
          ? chunkTooLarge(this.context.policy)
          : tooLarge(this.context.policy);
      case 'aborted':
        return (outcome.reason as StopRequest).error;
    }
  }
}

function idled(): UploadError {
  return new UploadError(
    'idle_timeout',
    'The body stopped arriving. Ask for the offset and go on from there.',
  );
}

function lengthMismatch(window: ChunkWindow | null, arrived: string, cause?: unknown): UploadError {
  const announced = window ? `Content-Range announces ${lengthOf(window)} bytes` : 'The body is not whole';
  return new UploadError('length_mismatch', `${announced}, but ${arrived} arrived.`, { cause });
}
