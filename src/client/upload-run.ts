import { ChunkedUploadError } from './chunked-upload-error.js';
import { actionFor } from './error-table.js';
import { Onlooker } from './onlooker.js';
import { openTransfer } from './open-transfer.js';
import type { Piece } from './platform.js';
import { Recovery } from './recovery.js';
import { aborted, sleep } from './sleep.js';
import type { Transfer } from './transfer.js';
import type { UploadContext } from './upload-context.js';
import type { UploadResult } from './upload-state.js';

/** What somebody wants of an upload. */
export type Wish = 'go' | 'pause' | 'cancel';

/**
 * An upload from its start to its end, with its pauses and failures: does what is wished when network and queue permit, and
 * what can be done about what goes wrong.
 */
export class UploadRun<Part extends Piece> {
  /** Null before the source is open. */
  transfer: Transfer<Part> | null = null;
  readonly #context: UploadContext<Part>;
  readonly #onlooker = new Onlooker();
  readonly #recovery: Recovery;
  #wish: Wish = 'go';
  /** Aborted whenever what is being done has to be thought over. */
  #activity = new AbortController();
  #endTurn: (() => void) | null = null;
  /** Whether another client goes on with this upload, and this one looks on. */
  #isOnlooking = false;

  constructor(context: UploadContext<Part>) {
    this.#context = context;
    this.#recovery = new Recovery(context.options.retry);
  }

  /** Call once. @throws ChunkedUploadError */
  async go(): Promise<UploadResult> {
    const { platform, options } = this.#context;
    const over = new AbortController();
    const { signal } = over;
    platform.watchNetwork(() => this.#onNetwork(), signal);
    options.signal?.addEventListener('abort', () => this.#activity.abort(), { signal });
    try {
      const result = await this.#untilComplete();
      await this.transfer?.forget();
      return result;
    } finally {
      over.abort();
      this.#leaveTurn();
      await this.transfer?.close();
    }
  }

  /** Does something else from now on; `go` also ends a wait for the next try, or for another client. */
  wish(wish: Wish): void {
    this.#wish = wish;
    this.#isOnlooking = false;
    this.#activity.abort();
  }

  async #untilComplete(): Promise<UploadResult> {
    for (;;) {
      const signal = await this.#permission();
      try {
        const transfer = (this.transfer ??= await openTransfer(this.#context));
        // While it was opened, somebody may have changed their mind.
        signal.throwIfAborted();
        if (this.#isOnlooking) await this.#lookOn(transfer, signal);
        this.#context.status.enter('uploading');
        return await transfer.go(signal);
      } catch (error) {
        // Whoever aborted it wants something else now, also while it waits for the next try.
        if (!signal.aborted) {
          await this.#recover(asUploadError(error), signal).catch((failure: unknown) => {
            if (!signal.aborted) throw failure;
          });
        }
      }
    }
  }

  /** Waits until bytes may be sent. Returns the signal for this while. */
  async #permission(): Promise<AbortSignal> {
    const { platform, turns, options, status } = this.#context;
    for (;;) {
      if (this.#wish === 'cancel') throw new ChunkedUploadError('cancelled', 'Cancelled.');
      if (options.signal?.aborted) throw new ChunkedUploadError('aborted', 'Aborted.');
      this.#activity = new AbortController();
      const { signal } = this.#activity;
      const isPaused = this.#wish === 'pause';
      if (isPaused) this.#leaveTurn();
      if (isPaused || !platform.isOnline()) {
        status.enter(isPaused ? 'paused' : 'offline');
        await aborted(signal);
        continue;
      }
      status.enter('waiting');
      this.#endTurn ??= await turns.take(signal).catch(() => null);
      if (!signal.aborted) return signal;
    }
  }

  /** Looks on until the other client is done or stopped. @throws as {@link Transfer.ask}. */
  async #lookOn(transfer: Transfer<Part>, signal: AbortSignal): Promise<void> {
    const { status } = this.#context;
    await this.#onlooker.watch(async () => {
      await transfer.ask(status.url as string, signal);
      return { isWhole: transfer.isWhole, offset: status.offset };
    }, signal);
    this.#isOnlooking = false;
  }

  /**
   * Does about a failure what can be done, and waits until the transfer may go on.
   * @throws ChunkedUploadError the failure itself, when nothing can be done; the signal's reason when it is aborted.
   */
  async #recover(error: ChunkedUploadError, signal: AbortSignal): Promise<void> {
    const { transfer } = this;
    const { status } = this.#context;
    if (!transfer) throw error;
    const action = actionFor(error);
    const tell = (attempt: number, delayMs: number) => status.emit('retry', { error, attempt, delayMs });
    if (action === 'shrink' && transfer.sizer.limit(error.problem?.limit_bytes, transfer.lastBytes)) return;
    if (action === 'restart') return transfer.startAnew(error);
    if (action === 'watch' && status.url !== null) {
      this.#isOnlooking = true;
      tell(0, 0);
      return;
    }
    if (error.code === 'network') transfer.sizer.broke();
    const isHopeless = action === 'stop' || action === 'shrink';
    const delayMs = isHopeless ? null : this.#recovery.next(error, action, status.offset);
    if (delayMs === null) throw error;
    if (delayMs > 0) status.enter('waiting');
    tell(this.#recovery.attempts, delayMs);
    await sleep(delayMs, signal);
  }

  /** While bytes flow, the network is there, whatever the platform believes; offline, they will not flow any more. */
  #onNetwork(): void {
    const { platform, status } = this.#context;
    if (!platform.isOnline() || status.state !== 'uploading') this.#activity.abort();
  }

  #leaveTurn(): void {
    this.#endTurn?.();
    this.#endTurn = null;
  }
}

/** Errors of the client itself, and of the platform, are no reason to be silent. */
function asUploadError(cause: unknown): ChunkedUploadError {
  if (cause instanceof ChunkedUploadError) return cause;
  return new ChunkedUploadError('unexpected', String(cause), { cause });
}
