import { Checksum } from './checksum.js';
import { ChunkSizer } from './chunk-sizer.js';
import { ChunkedUploadError } from './chunked-upload-error.js';
import { complete } from './completion.js';
import type { HttpAnswer, OpenSource, Piece } from './platform.js';
import type { ResumeMemory } from './resume-memory.js';
import { standingIn } from './standing.js';
import { createdUrl, creatingUrl, noUploadRoute } from './upload-address.js';
import type { UploadContext } from './upload-context.js';
import type { UploadResult } from './upload-state.js';

/** How long the answer to a creation whose bytes are all out is waited for, although nobody wants it any more. */
const LAST_ANSWER_MS = 5000;
const BYTES_TYPE = 'application/octet-stream';

/** What a transfer works with. */
export interface TransferParts<Part extends Piece> extends Pick<
  UploadContext<Part>,
  'options' | 'status' | 'wire'
> {
  readonly source: OpenSource<Part>;
  readonly filename: string;
  readonly memory: ResumeMemory;
  /** Aborted when the upload is over; the checksum is computed until then. */
  readonly background: AbortSignal;
}

/** The requests of one upload, in order. What fails is thrown; whoever calls {@link go} again goes on from the server's offset. */
export class Transfer<Part extends Piece> {
  readonly sizer: ChunkSizer;
  /** Bytes of the chunk that was sent last. */
  lastBytes = 0;
  /** Whether the server answered for this upload since the transfer began. */
  isConfirmed = false;
  #checksum: Checksum;
  #creationKey = randomKey();

  constructor(private readonly parts: TransferParts<Part>) {
    const { source, options, background } = parts;
    this.sizer = new ChunkSizer(options.chunkBytes);
    this.#checksum = new Checksum(source, options.checksum, background);
  }

  /** Uploads what is missing, and completes. @throws ChunkedUploadError, or the signal's reason when it is aborted. */
  async go(signal: AbortSignal): Promise<UploadResult> {
    const { status, source, wire, filename } = this.parts;
    if (status.url !== null) await this.ask(status.url, signal);
    const url = status.url ?? (await this.#create(signal));
    while (!this.isWhole) await this.#sendChunk(url, signal);
    status.enter('completing');
    await source.checkUnchanged();
    return complete({ wire, checksum: this.#checksum, filename, url, size: status.offset, signal });
  }

  /** Asks where the upload stands. @throws ChunkedUploadError, or the signal's reason when it is aborted. */
  async ask(url: string, signal: AbortSignal): Promise<void> {
    this.#stand(await this.parts.wire.send({ method: 'GET', url, signal }));
  }

  /** Whether every byte is acknowledged. */
  get isWhole(): boolean {
    const { source, status } = this.parts;
    return source.size !== null && status.offset >= source.size;
  }

  /** The upload is of no use: the next {@link go} creates another. */
  startAnew(): void {
    this.parts.status.url = null;
    this.parts.status.move(0, 0);
    this.#creationKey = randomKey();
  }

  async #create(signal: AbortSignal): Promise<string> {
    const { options, source, filename, status, memory } = this.parts;
    const { endpoint, owner, contentType = source.type, userId } = options;
    const part = await this.#read(this.sizer.creatingBytes);
    // A form would be taken apart.
    const type = !contentType || contentType.startsWith('multipart/') ? BYTES_TYPE : contentType;
    const headers = { 'Idempotency-Key': this.#creationKey, 'Content-Type': type };
    const lasting = this.#unlessAllIsOut(part, signal);
    const answer = await this.#put(creatingUrl(endpoint, filename, owner), part, {
      signal: lasting,
      headers,
    });
    const url = (status.url = createdUrl(endpoint, answer));
    const { size, lastModified } = source;
    await memory.remember({ url, endpoint, userId, filename, size, lastModified });
    status.events.emit('created', { url, isResumed: false });
    this.#stand(answer);
    status.events.emit('chunk', { start: 0, end: status.offset });
    signal.throwIfAborted();
    return url;
  }

  /** Stopped in that moment, an upload would be on the server whose address nobody knows. */
  #unlessAllIsOut({ size }: Part, signal: AbortSignal): AbortSignal {
    const request = new AbortController();
    const stop = () => request.abort(signal.reason);
    signal.addEventListener('abort', () => {
      if (this.parts.status.inFlight < size) stop();
      else setTimeout(stop, LAST_ANSWER_MS);
    });
    return request.signal;
  }

  async #sendChunk(url: string, signal: AbortSignal): Promise<void> {
    const { status } = this.parts;
    const start = status.offset;
    const part = await this.#read(this.sizer.bytes);
    // A stream has ended where the upload stands.
    if (part.size === 0) return;
    const began = Date.now();
    const answer = await this.#put(url, part, { signal, headers: { 'Content-Type': BYTES_TYPE } });
    this.sizer.arrived(part.size, Date.now() - began);
    this.#stand(answer);
    status.events.emit('chunk', { start, end: status.offset });
  }

  async #read(bytes: number): Promise<Part> {
    const { source, status } = this.parts;
    await source.checkUnchanged();
    const part = await source.read(status.offset, Math.min(status.offset + bytes, source.size ?? Infinity));
    status.size = source.size;
    return part;
  }

  async #put(
    url: string,
    body: Part,
    rest: { headers: Readonly<Record<string, string>>; signal: AbortSignal },
  ): Promise<HttpAnswer> {
    const { wire, source, status } = this.parts;
    const { offset } = status;
    const range = body.size === 0 ? '*' : `${offset}-${offset + body.size - 1}`;
    this.lastBytes = body.size;
    const headers = { ...rest.headers, 'Content-Range': `bytes ${range}/${source.size ?? '*'}` };
    const onProgress = (bytes: number) => status.move(offset, bytes);
    try {
      return await wire.send({ ...rest, method: 'PUT', url, headers, body, onProgress });
    } finally {
      status.inFlight = 0;
    }
  }

  /** @throws ChunkedUploadError `source_mismatch`, `checksum_unsupported`, `http`. */
  #stand(answer: HttpAnswer): void {
    const { source, status } = this.parts;
    const { offset, size, algorithms } = standingIn(answer);
    if (!Number.isSafeInteger(offset)) throw noUploadRoute(answer);
    if (source.size !== null && (offset > source.size || (size ?? source.size) !== source.size)) {
      throw new ChunkedUploadError('source_mismatch', 'Not the file this upload was begun with.');
    }
    this.isConfirmed = true;
    this.#checksum.offer(algorithms);
    status.move(offset, 0);
  }
}

/** 128 bits; `crypto.randomUUID` is only there on pages with https. */
function randomKey(): string {
  return crypto.getRandomValues(new Uint32Array(4)).join('-');
}
