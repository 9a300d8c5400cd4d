import type { ChunkedUploadError } from './chunked-upload-error.js';
import type { ChunkedUploadOptions } from './client-options.js';
import type { Piece, Platform } from './platform.js';
import { progressUntilEnd } from './progress-iterator.js';
import { removeUpload } from './remove-upload.js';
import { resolveOptions } from './resolve-options.js';
import { Turns } from './turns.js';
import type { UploadContext } from './upload-context.js';
import type { UploadEvents } from './upload-events.js';
import { UploadRun } from './upload-run.js';
import type { UploadProgress, UploadResult, UploadState } from './upload-state.js';
import { UploadStatus } from './upload-status.js';
import { Wire } from './wire.js';

/** One upload: starts, pauses, goes on, cancels, and says how far it came. The platforms' `ChunkedUpload` derives from it. */
export abstract class UploadCore<Source, Part extends Piece> implements AsyncIterable<UploadProgress> {
  #context: UploadContext<Part>;
  #status: UploadStatus;
  #run: UploadRun<Part> | null = null;
  #result: Promise<UploadResult> | null = null;
  #cancelling: Promise<void> | null = null;

  constructor(
    input: Source,
    platform: Platform<Source, Part>,
    given: ChunkedUploadOptions,
    turns = new Turns(1),
  ) {
    const options = resolveOptions(given, platform);
    const status = (this.#status = new UploadStatus(options.uploadUrl));
    const open = () => platform.open(input, options.size);
    this.#context = { platform, options, wire: new Wire(platform, options), turns, status, open };
  }

  get state(): UploadState {
    return this.#status.state;
  }

  /** Bytes the server has acknowledged. */
  get offset(): number {
    return this.#status.offset;
  }

  /** Bytes of the whole file; null before it was opened, and while a stream has not ended. */
  get size(): number | null {
    return this.#status.size;
  }

  /** Address of the upload on the server; null until there is one. */
  get url(): string | null {
    return this.#status.url;
  }

  get progress(): UploadProgress {
    return this.#status.progress;
  }

  /** What {@link start} returned; null before. */
  get result(): Promise<UploadResult> | null {
    return this.#result;
  }

  /** @returns a function that removes the listener. */
  on<Name extends keyof UploadEvents>(name: Name, listener: (event: UploadEvents[Name]) => void): () => void {
    return this.#status.on(name, listener);
  }

  /**
   * Starts, goes on after a pause, or tries again what failed. Once started, the same promise again.
   * It rejects with a {@link ChunkedUploadError}; nobody has to wait for it.
   */
  start(): Promise<UploadResult> {
    if (this.#result && this.state !== 'failed') {
      this.resume();
      return this.#result;
    }
    const result = (this.#result = this.#begin());
    // Who does not wait for it hears of it by the events.
    result.catch(() => undefined);
    return result;
  }

  /** Breaks off the request that is under way; the server keeps what arrived. Ends the turn in a queue. */
  pause(): void {
    this.#run?.wish('pause');
  }

  /** Goes on after {@link pause}, or at once where the upload waits for its next try. */
  resume(): void {
    if (this.state === 'paused' || this.state === 'waiting') this.#run?.wish('go');
  }

  /**
   * Stops, and deletes the upload on the server and its entry in the store. What is complete stays.
   * Called again meanwhile, the same promise; after a failure, it tries again.
   * @throws ChunkedUploadError when the server could not be told: it deletes the upload when it expires.
   */
  cancel(): Promise<void> {
    return (this.#cancelling ??= this.#remove().catch((error: unknown) => {
      this.#cancelling = null;
      throw error;
    }));
  }

  /** Starts the upload, and gives its progress until it is complete or cancelled; a slow reader misses some. Throws when it fails. */
  [Symbol.asyncIterator](): AsyncGenerator<UploadProgress, void> {
    return progressUntilEnd(this);
  }

  async #remove(): Promise<void> {
    if (this.state === 'complete') return;
    const status = this.#status;
    status.enter('cancelled');
    this.#run?.wish('cancel');
    // It may have been complete before it heard.
    if (await this.#result?.catch(() => null)) return;
    if (status.url !== null) {
      await removeUpload(this.#context, status.url);
      await this.#run?.transfer?.forget();
    }
    status.emit('cancel', undefined);
  }

  async #begin(): Promise<UploadResult> {
    const status = this.#status;
    this.#run = new UploadRun(this.#context);
    if (this.state === 'cancelled') this.#run.wish('cancel');
    try {
      const result = await this.#run.go();
      status.enter('complete');
      status.emit('complete', result);
      return result;
    } catch (error) {
      status.enter('failed');
      if (this.state === 'failed') status.emit('error', error as ChunkedUploadError);
      throw error;
    }
  }
}
