import type { ChunkedUploadOptions } from './client-options.js';
import { Emitter } from './emitter.js';
import { Turns } from './turns.js';
import type { UploadProgress, UploadState } from './upload-state.js';

/** Options of a queue: those of its uploads, and how many of them run at the same time. */
export interface UploadQueueOptions extends ChunkedUploadOptions {
  /** @default 3 */
  readonly concurrency?: number;
}

/** What a queue does with an upload. */
interface Queued {
  readonly state: UploadState;
  start(): Promise<unknown>;
  pause(): void;
  resume(): void;
  cancel(): Promise<void>;
  on(name: 'progress', listener: (progress: UploadProgress) => void): () => void;
}

const CONCURRENCY = 3;

/** Several uploads, some at a time, in the order they were added. The platforms' `UploadQueue` derives from it. */
export abstract class UploadQueueCore<Source, Upload extends Queued> {
  readonly #events = new Emitter<{ change: undefined }>();
  readonly #turns: Turns;
  readonly #defaults: ChunkedUploadOptions;
  #list: Upload[] = [];

  constructor({ concurrency = CONCURRENCY, ...defaults }: UploadQueueOptions) {
    if (!(concurrency >= 1)) throw new RangeError('concurrency');
    this.#turns = new Turns(concurrency);
    this.#defaults = defaults;
  }

  /** Every upload that was added and not removed, in that order. */
  get uploads(): readonly Upload[] {
    return this.#list;
  }

  /**
   * Adds an upload and starts it when its turn comes; what it reports is heard by its events.
   * @param options in place of those of the queue.
   */
  add(source: Source, options: Partial<ChunkedUploadOptions> = {}): Upload {
    const upload = this.create(source, { ...this.#defaults, ...options }, this.#turns);
    this.#list.push(upload);
    upload.on('progress', () => this.#changed());
    void upload.start();
    this.#changed();
    return upload;
  }

  /** Takes an upload off the list; it is not stopped. */
  remove(upload: Upload): void {
    this.#list = this.#list.filter((each) => each !== upload);
    this.#changed();
  }

  pauseAll(): void {
    for (const upload of this.#list) upload.pause();
  }

  /** Goes on with those that are paused. */
  resumeAll(): void {
    for (const upload of this.#list) if (upload.state === 'paused') upload.resume();
  }

  /** Cancels those that are not complete. @throws ChunkedUploadError of the first that could not be cancelled on the server. */
  async cancelAll(): Promise<void> {
    await Promise.all(this.#list.map((upload) => upload.cancel()));
  }

  /** Progress or state of any upload changed, or the list. Returns a function that removes the listener. */
  on(name: 'change', listener: () => void): () => void {
    return this.#events.on(name, listener);
  }

  protected abstract create(source: Source, options: ChunkedUploadOptions, turns: Turns): Upload;

  #changed(): void {
    this.#events.emit('change', undefined);
  }
}
