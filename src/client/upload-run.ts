import { ChunkedUploadError } from './chunked-upload-error.js';
import type { OpenSource, Piece } from './platform.js';
import { aborted } from './sleep.js';
import type { UploadContext } from './upload-context.js';
import { UploadSession } from './upload-session.js';
import type { UploadResult } from './upload-state.js';

/** An upload from its start to its end, with its pauses: does what is wished, when network and queue permit. */
export class UploadRun<Part extends Piece> {
  session: UploadSession<Part> | null = null;
  #wish: 'go' | 'pause' | 'cancel' = 'go';
  /** Aborted whenever what is being done has to be thought over. */
  #activity = new AbortController();
  #endTurn: (() => void) | null = null;

  /** @param open opens the source. */
  constructor(
    private readonly context: UploadContext<Part>,
    private readonly open: () => Promise<OpenSource<Part>>,
  ) {}

  /** Call once. @throws ChunkedUploadError */
  async go(): Promise<UploadResult> {
    const { platform, options } = this.context;
    const endWatch = platform.watchNetwork(() => this.#onNetwork());
    const rethink = () => this.#activity.abort();
    options.signal?.addEventListener('abort', rethink);
    try {
      const result = await this.#untilComplete();
      await this.session?.memory.forget(result.url);
      return result;
    } finally {
      endWatch();
      options.signal?.removeEventListener('abort', rethink);
      this.#leaveTurn();
      await this.session?.close();
    }
  }

  /** Does something else from now on; `go` also ends a wait for the next try, or for another client. */
  wish(wish: 'go' | 'pause' | 'cancel'): void {
    this.#wish = wish;
    if (this.session) this.session.isOnlooking = false;
    this.#activity.abort();
  }

  async #untilComplete(): Promise<UploadResult> {
    for (;;) {
      const signal = await this.#permission();
      try {
        const session = (this.session ??= await this.#open());
        // While it was opened, somebody may have changed their mind.
        signal.throwIfAborted();
        if (session.isOnlooking) await session.lookOn(signal);
        this.context.status.enter('uploading');
        return await session.transfer.go(signal);
      } catch (error) {
        if (!signal.aborted) await this.#recover(asUploadError(error), signal);
      }
    }
  }

  /** Waits until bytes may be sent. Returns the signal for this while. */
  async #permission(): Promise<AbortSignal> {
    const { platform, turns, options, status } = this.context;
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

  async #open(): Promise<UploadSession<Part>> {
    const source = await this.open();
    return UploadSession.open(this.context, source).catch(async (error: unknown) => {
      await source.close();
      throw error;
    });
  }

  async #recover(error: ChunkedUploadError, signal: AbortSignal): Promise<void> {
    if (!this.session) throw error;
    await this.session.recover(error, signal).catch((failure: unknown) => {
      if (!signal.aborted) throw failure;
    });
  }

  /** While bytes flow, the network is there, whatever the platform believes; offline, they will not flow any more. */
  #onNetwork(): void {
    const { platform, status } = this.context;
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
