import type { Readable } from 'node:stream';
import { freeBuffers } from './free-buffers.js';

/** Bytes gathered before they are written: one system call for sixteen of Node's 64 KiB pieces. */
const BATCH_BYTES = 1024 * 1024;
/** What all bodies of this process gather together: many at once gather less each. */
const GATHERED_BYTES = 8 * BATCH_BYTES;
const LEAST_BATCH_BYTES = BATCH_BYTES / 8;
/** And at most this many pieces, so that a client that sends single bytes cannot hold much memory. */
const BATCH_PIECES = 1024;
/** Smaller pieces are copied: a piece of one byte would keep the 64 KiB it was received into. */
const COPY_BELOW_BYTES = 4096;

/** How a body ended. */
export type ReceiveOutcome =
  /** Properly, in its framing's own terms. */
  | { readonly kind: 'ended' }
  /** The connection went away, or the framing broke. */
  | { readonly kind: 'broken'; readonly cause: unknown }
  /** Nothing arrived for the idle timeout. */
  | { readonly kind: 'idle' }
  /** A byte more than allowed arrived. */
  | { readonly kind: 'excess' }
  /** The signal ended it; `reason` is the signal's. */
  | { readonly kind: 'aborted'; readonly reason: unknown };

export interface ReceiveOptions {
  /** Takes a batch; the next one is handed over when the promise is done. */
  readonly write: (batch: Buffer[]) => Promise<void>;
  /** Stop at the first byte beyond. */
  readonly limitBytes: number;
  readonly signal: AbortSignal;
}

/**
 * Moves a body into `write`, batch by batch, at most one batch being written and one being gathered: memory stays flat
 * whatever the size. The first batch is gathered from the beginning, while it is still being found out where it goes.
 * Takes raw data events with explicit pause and resume, because `pipe` and `pipeline` halve the throughput
 * (docs/performance.md).
 */
export class ChunkReceiver {
  /** Bodies that are being received in this process. */
  private static running = 0;
  /** Bytes handed to `write` and taken by it. */
  written = 0;
  /** Bytes that arrived. */
  received = 0;
  private options: ReceiveOptions | null = null;
  private batch: Buffer[] = [];
  private batchBytes = 0;
  private writing: Promise<void> | null = null;
  private ending: ReceiveOutcome | null = null;
  private isDetached = false;
  private readonly idleTimer: NodeJS.Timeout;
  private settle: { resolve: (outcome: ReceiveOutcome) => void; reject: (error: unknown) => void };
  private readonly onData = (bytes: Buffer) => this.take(bytes);
  private readonly onEnd = () => this.end({ kind: 'ended' });
  private readonly onBroken = (cause?: unknown) => this.end({ kind: 'broken', cause });
  private readonly onAbort = () => this.end({ kind: 'aborted', reason: this.options?.signal.reason });

  /**
   * Begins to gather; call `run` or `drop`.
   * @param isDisposable whether nobody else keeps the buffers of `source`: they are freed when they are written.
   */
  constructor(
    private readonly source: Readable,
    idleTimeoutMs: number,
    private readonly isDisposable: boolean,
  ) {
    ChunkReceiver.running++;
    this.idleTimer = setTimeout(() => this.onSilence(), idleTimeoutMs);
    source.on('end', this.onEnd).on('error', this.onBroken).on('close', this.onBroken);
    source.on('data', this.onData);
    if (source.destroyed && !source.readableEnded) this.onBroken(source.errored);
  }

  /** Runs until the body ended, one way or another, and everything received was written. Rejects with `write`'s error. */
  async run(options: ReceiveOptions): Promise<ReceiveOutcome> {
    const done = new Promise<ReceiveOutcome>((resolve, reject) => (this.settle = { resolve, reject }));
    this.options = options;
    this.idleTimer.refresh();
    options.signal.addEventListener('abort', this.onAbort, { once: true });
    try {
      if (this.received > options.limitBytes) return { kind: 'excess' };
      if (options.signal.aborted) this.onAbort();
      if (!this.writing && (this.ending || this.isBatchFull)) this.flush(options);
      if (!this.ending) this.source.resume();
      return await done;
    } finally {
      options.signal.removeEventListener('abort', this.onAbort);
      this.drop();
    }
  }

  /** Takes no more of the body, and leaves the rest where it is. */
  drop(): void {
    if (this.isDetached) return;
    this.isDetached = true;
    ChunkReceiver.running--;
    clearTimeout(this.idleTimer);
    const { source } = this;
    source.pause();
    source
      .off('data', this.onData)
      .off('end', this.onEnd)
      .off('close', this.onBroken)
      .off('error', this.onBroken);
    // What fails after this is nobody's concern any more, but must not end the process.
    source.on('error', () => undefined);
  }

  private take(bytes: Buffer): void {
    if (this.ending) return;
    this.received += bytes.length;
    if (this.options && this.received > this.options.limitBytes) return this.end({ kind: 'excess' });
    this.idleTimer.refresh();
    this.batch.push(bytes.length < COPY_BELOW_BYTES ? Buffer.from(bytes) : bytes);
    this.batchBytes += bytes.length;
    if (!this.isBatchFull) return;
    if (this.writing || !this.options) this.source.pause();
    else this.flush(this.options);
  }

  private get isBatchFull(): boolean {
    const share = Math.max(LEAST_BATCH_BYTES, GATHERED_BYTES / ChunkReceiver.running);
    return this.batchBytes >= Math.min(BATCH_BYTES, share) || this.batch.length >= BATCH_PIECES;
  }

  private onSilence(): void {
    // While the disk is behind, or the upload is not ours yet, it is we who do not listen.
    if (this.writing || !this.options) this.idleTimer.refresh();
    else this.end({ kind: 'idle' });
  }

  private end(outcome: ReceiveOutcome): void {
    if (this.ending) return;
    this.ending = outcome;
    this.source.pause();
    if (this.options && !this.writing) this.flush(this.options);
  }

  private flush(options: ReceiveOptions): void {
    if (this.batchBytes === 0) {
      if (this.ending) this.settle.resolve(this.ending);
      return;
    }
    const { batch, batchBytes } = this;
    this.batch = [];
    this.batchBytes = 0;
    this.writing = options.write(batch).then(
      () => {
        // One that somebody else listens to may be kept there.
        if (this.isDisposable && this.source.listenerCount('data') === 1) freeBuffers(batch);
        this.onWritten(options, batchBytes);
      },
      (error: unknown) => this.settle.reject(error),
    );
  }

  private onWritten(options: ReceiveOptions, bytes: number): void {
    this.writing = null;
    this.written += bytes;
    if (this.ending || this.isBatchFull) this.flush(options);
    if (this.ending || !this.source.isPaused()) return;
    this.idleTimer.refresh();
    this.source.resume();
  }
}
