import { Checksum } from './checksum.js';
import { ChunkSizer } from './chunk-sizer.js';
import { ChunkedUploadError } from './chunked-upload-error.js';
import type { UploadHeaders } from './client-options.js';
import { jsonIn } from './json-body.js';
import type { HttpAnswer, OpenSource, Piece } from './platform.js';
import type { ResolvedOptions } from './resolve-options.js';
import type { ResumeMemory } from './resume-memory.js';
import { later } from './sleep.js';
import { standingIn } from './standing.js';
import { createdUrl, creatingUrl, idIn, noUploadRoute, randomKey } from './upload-address.js';
import type { UploadContext } from './upload-context.js';
import type { UploadResult } from './upload-state.js';
import type { UploadStatus } from './upload-status.js';
import type { Wire } from './wire.js';

/** How long the answer to a creation whose bytes are all out is waited for, although nobody wants it any more. */
const LAST_ANSWER_MS = 5000;
const BYTES_TYPE = 'application/octet-stream';

/** An open source and the requests that upload it, in order. Whoever calls {@link go} after a failure goes on from the server's offset. */
export class Transfer<Part extends Piece> {
  readonly sizer: ChunkSizer;
  /** Bytes of the chunk that was sent last. */
  lastBytes = 0;
  readonly #options: ResolvedOptions;
  readonly #status: UploadStatus;
  readonly #wire: Wire<Part>;
  readonly #source: OpenSource<Part>;
  readonly #filename: string;
  readonly #memory: ResumeMemory;
  readonly #checksum: Checksum;
  readonly #background = new AbortController();
  #creationKey = randomKey();
  #isResumed: boolean;
  /** Whether the server answered for this upload since the transfer began. */
  #isConfirmed = false;

  constructor(
    context: UploadContext<Part>,
    source: OpenSource<Part>,
    filename: string,
    memory: ResumeMemory,
  ) {
    const { options, status, wire } = context;
    this.#options = options;
    this.#status = status;
    this.#wire = wire;
    this.#source = source;
    this.#filename = filename;
    this.#memory = memory;
    this.sizer = new ChunkSizer(options.chunkBytes);
    this.#checksum = new Checksum(source, options.checksum, this.#background.signal);
    this.#isResumed = status.url !== null;
  }

  /** Uploads what is missing, and completes. @throws ChunkedUploadError, or the signal's reason when it is aborted. */
  async go(signal: AbortSignal): Promise<UploadResult> {
    if (this.#status.url !== null) await this.ask(this.#status.url, signal);
    const url = this.#status.url ?? (await this.#create(signal));
    while (!this.isWhole) await this.#sendChunk(url, signal);
    this.#status.enter('completing');
    await this.#source.checkUnchanged();
    return this.#complete(url, signal);
  }

  /** Asks where the upload stands. @throws ChunkedUploadError, or the signal's reason when it is aborted. */
  async ask(url: string, signal: AbortSignal): Promise<void> {
    this.#stand(await this.#wire.send({ method: 'GET', url, signal }));
  }

  /** Whether every byte is acknowledged. */
  get isWhole(): boolean {
    return this.#source.size !== null && this.#status.offset >= this.#source.size;
  }

  /**
   * The upload is of no use: the next {@link go} creates another, if this one was begun before; once, and not when it
   * vanished while this client was at it: then somebody cancelled it.
   * @throws ChunkedUploadError the failure itself, when there is nothing to begin anew.
   */
  async startAnew(error: ChunkedUploadError): Promise<void> {
    await this.forget();
    const hasVanished = error.status === 404 && this.#isConfirmed;
    if (!this.#isResumed || hasVanished) throw error;
    this.#isResumed = false;
    this.#creationKey = randomKey();
    this.#status.url = null;
    this.#status.move(0, 0);
  }

  /** Takes the upload out of the store. */
  forget(): Promise<void> {
    return this.#memory.forget(this.#status.url);
  }

  async close(): Promise<void> {
    this.#background.abort();
    await this.#source.close();
  }

  async #create(signal: AbortSignal): Promise<string> {
    const { size, lastModified, type: typeOfFile } = this.#source;
    const { endpoint, owner, contentType = typeOfFile, userId } = this.#options;
    const filename = this.#filename;
    const part = await this.#read(this.sizer.min);
    // A form would be taken apart.
    const type = !contentType || contentType.startsWith('multipart/') ? BYTES_TYPE : contentType;
    const headers = { 'Idempotency-Key': this.#creationKey, 'Content-Type': type };
    // Stopped when all is out, an upload would be on the server whose address nobody knows.
    const lasting = later(signal, () => (this.#status.inFlight < part.size ? 0 : LAST_ANSWER_MS));
    const answer = await this.#put(creatingUrl(endpoint, filename, owner), part, lasting, headers);
    const url = (this.#status.url = createdUrl(endpoint, answer));
    await this.#memory.remember({ url, endpoint, userId, filename, size, lastModified });
    this.#status.emit('created', { url, isResumed: false });
    this.#acknowledge(answer);
    signal.throwIfAborted();
    return url;
  }

  async #sendChunk(url: string, signal: AbortSignal): Promise<void> {
    const part = await this.#read(this.sizer.bytes);
    // A stream has ended where the upload stands.
    if (part.size === 0) return;
    const began = Date.now();
    const answer = await this.#put(url, part, signal, { 'Content-Type': BYTES_TYPE });
    this.sizer.arrived(part.size, Date.now() - began);
    this.#acknowledge(answer);
  }

  async #read(bytes: number): Promise<Part> {
    await this.#source.checkUnchanged();
    const part = await this.#source.read(
      this.#status.offset,
      Math.min(this.#status.offset + bytes, this.#source.size ?? Infinity),
    );
    this.#status.size = this.#source.size;
    return part;
  }

  async #put(url: string, body: Part, signal: AbortSignal, headers: UploadHeaders): Promise<HttpAnswer> {
    const { offset } = this.#status;
    const range = body.size === 0 ? '*' : `${offset}-${offset + body.size - 1}`;
    const ranged = { ...headers, 'Content-Range': `bytes ${range}/${this.#source.size ?? '*'}` };
    const onProgress = (bytes: number) => this.#status.move(offset, bytes);
    this.lastBytes = body.size;
    try {
      return await this.#wire.send({ method: 'PUT', url, headers: ranged, body, onProgress, signal });
    } finally {
      // What was out when somebody paused it has mostly arrived, and is kept.
      if (!signal.aborted) this.#status.inFlight = 0;
    }
  }

  #acknowledge(answer: HttpAnswer): void {
    const start = this.#status.offset;
    this.#stand(answer);
    this.#status.emit('chunk', { start, end: this.#status.offset });
  }

  /** @throws ChunkedUploadError `source_mismatch`, `checksum_unsupported`, `http`. */
  #stand(answer: HttpAnswer): void {
    const { offset, size, algorithms } = standingIn(answer);
    if (!(offset >= 0)) throw noUploadRoute(answer);
    const ours = this.#source.size;
    if (ours !== null && (offset > ours || (size ?? ours) !== ours)) {
      throw new ChunkedUploadError('source_mismatch', 'Not the file this upload was begun with.');
    }
    this.#isConfirmed = true;
    this.#checksum.offer(algorithms);
    this.#status.move(offset, 0);
  }

  /** An upload that is complete gives the same answer again, if it has this checksum. */
  async #complete(url: string, signal: AbortSignal): Promise<UploadResult> {
    const checksum = await this.#checksum.value(signal);
    const body = JSON.stringify(checksum ? { [checksum.algorithm]: checksum.hex } : {});
    const headers = { 'Content-Type': 'application/json' };
    try {
      const { text } = await this.#wire.send({ method: 'POST', url, headers, body, signal });
      return {
        id: idIn(url),
        url,
        filename: this.#filename,
        size: this.#status.offset,
        checksum,
        body: jsonIn(text),
      };
    } catch (error) {
      // Only here an upload that is complete already says which checksum it has.
      const { code, problem } = error as Partial<ChunkedUploadError>;
      const isAsked = !checksum && code === 'checksum_missing';
      if (!isAsked || !this.#checksum.offer(problem?.algorithms ?? null)) throw error;
      return this.#complete(url, signal);
    }
  }
}
