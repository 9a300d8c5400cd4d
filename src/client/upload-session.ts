import type { ChunkedUploadError } from './chunked-upload-error.js';
import { actionFor } from './error-table.js';
import { Onlooker } from './onlooker.js';
import type { OpenSource, Piece } from './platform.js';
import { Recovery } from './recovery.js';
import { ResumeMemory } from './resume-memory.js';
import { sleep } from './sleep.js';
import { Transfer } from './transfer.js';
import type { UploadContext } from './upload-context.js';
import { fingerprint, nameOf } from './upload-key.js';

/** An upload with its source open: the transfer, and what is done about its failures. */
export class UploadSession<Part extends Piece> {
  /** Whether another client goes on with this upload, and this one looks on. */
  isOnlooking = false;
  readonly transfer: Transfer<Part>;
  #background = new AbortController();
  #recovery: Recovery;
  #onlooker = new Onlooker();
  #isResumed: boolean;

  private constructor(
    private readonly context: UploadContext<Part>,
    private readonly source: OpenSource<Part>,
    filename: string,
    readonly memory: ResumeMemory,
  ) {
    this.transfer = new Transfer({
      ...context,
      source,
      filename,
      memory,
      background: this.#background.signal,
    });
    this.#recovery = new Recovery(context.options.retry);
    this.#isResumed = context.status.url !== null;
  }

  /** Recognises the file, and prepares its transfer. Sends nothing. @throws ChunkedUploadError `source_unreadable`, … */
  static async open<Part extends Piece>(
    context: UploadContext<Part>,
    source: OpenSource<Part>,
  ): Promise<UploadSession<Part>> {
    const { platform, options, status } = context;
    const filename = nameOf(source, options.filename);
    const key = options.store && (await fingerprint(platform, source, { ...options, filename }));
    const memory = new ResumeMemory(options.store, key);
    const url = (status.url ??= await memory.find());
    status.size = source.size;
    if (url !== null) status.events.emit('created', { url, isResumed: true });
    return new UploadSession(context, source, filename, memory);
  }

  /** Looks on until the other client is done or stopped. @throws as {@link Transfer.ask}. */
  async lookOn(signal: AbortSignal): Promise<void> {
    const { transfer, context } = this;
    await this.#onlooker.watch(async () => {
      await transfer.ask(context.status.url as string, signal);
      return { isWhole: transfer.isWhole, offset: context.status.offset };
    }, signal);
    this.isOnlooking = false;
  }

  /**
   * Does about a failure what can be done, and waits until the transfer may go on.
   * @throws ChunkedUploadError the failure itself, when nothing can be done; the signal's reason when it is aborted.
   */
  async recover(error: ChunkedUploadError, signal: AbortSignal): Promise<void> {
    const { transfer } = this;
    const { status } = this.context;
    const action = actionFor(error);
    if (action === 'shrink' && transfer.sizer.limit(error.problem?.limit_bytes, transfer.lastBytes)) return;
    if (action === 'restart') return this.#restart(error);
    if (action === 'watch' && status.url !== null) {
      this.isOnlooking = true;
      return;
    }
    if (error.code === 'network') transfer.sizer.broke();
    const isHopeless = action === 'stop' || action === 'shrink';
    const delayMs = isHopeless ? null : this.#recovery.next(error, action, status.offset);
    if (delayMs === null) throw error;
    if (delayMs > 0) status.enter('waiting');
    status.events.emit('retry', { error, attempt: this.#recovery.attempts, delayMs });
    await sleep(delayMs, signal);
  }

  async close(): Promise<void> {
    this.#background.abort();
    await this.source.close();
  }

  /**
   * Begins a new upload in place of one that was begun before and is of no use; once, and not when it vanished while this
   * client was at it: then somebody cancelled it.
   */
  async #restart(error: ChunkedUploadError): Promise<void> {
    const { url } = this.context.status;
    if (url !== null) await this.memory.forget(url);
    const isMissing = error.code === 'not_found' || error.status === 404;
    if (!this.#isResumed || (isMissing && this.transfer.isConfirmed)) throw error;
    this.#isResumed = false;
    this.transfer.startAnew();
  }
}
