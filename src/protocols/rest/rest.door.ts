import type { StreamableFile } from '@nestjs/common';
import { resolveCaller } from '../../access/caller.js';
import { notFound } from '../../engine/refusal.js';
import type { Caller } from '../../engine/upload-commands.js';
import { UploadError } from '../../errors/upload-error.js';
import type { AbstractChunkedUpload } from '../../persistence/abstract-chunked-upload.entity.js';
import type { UploadType } from '../../upload-type.js';
import { readFields } from '../http/form-body.js';
import type { HttpExchange } from '../http/http-exchange.js';
import { takeAwaitingContinue } from '../http/unparsed-body.js';
import { discardUnreadBody } from '../http/unread-body.js';
import { UploadLocation } from '../http/upload-location.js';
import { parseUploadId } from '../http/upload-id.js';
import { sendContent } from './content.response.js';
import { cursorOf, parseListQuery } from './list.request.js';
import { type ChunkRequest, contentRangeMissing, readChunk } from './rest.request.js';
import { renderUpload, setUploadHeaders, type UploadBody } from './rest.response.js';

/** A page of the caller's uploads. */
export interface UploadPage {
  readonly items: readonly UploadBody[];
  /** Give it back as `cursor` for the page behind this one; null on the last. */
  readonly next_cursor: string | null;
}

/** The REST protocol: reads a request, calls the engine, renders what it says. The rules are the engine's. */
export class RestDoor {
  constructor(private readonly type: UploadType) {}

  /** `PUT /upload`, and `POST /upload` with a `Content-Range`: a first chunk, or one for the upload a field names. */
  async chunk(exchange: HttpExchange): Promise<UploadBody> {
    const caller = await this.caller(exchange);
    const request = await readChunk(exchange, this.type.door);
    return this.receiving(exchange, request, async () => {
      const location = this.location(exchange, 0);
      if (request.uploadId)
        return this.answer(exchange, await this.append(caller, request.uploadId, request), location);
      const upload = await this.type.engine.create(this.creation(exchange, caller, request));
      exchange.setHeader('Location', location.of(upload.id));
      return this.answer(exchange, upload, location);
    });
  }

  /** `POST /upload` without `Content-Range`: a whole file and its checksum. */
  async oneShot(exchange: HttpExchange): Promise<unknown> {
    const caller = await this.caller(exchange);
    const request = await readChunk(exchange, { ...this.type.door, isRangeRequired: false });
    return this.receiving(exchange, request, async () => {
      if (request.uploadId) return this.chunkWithoutRange(exchange, caller, request);
      const command = this.creation(exchange, caller, request);
      const upload = await this.type.engine.createComplete(command, request.fields);
      const location = this.location(exchange, 0);
      exchange.setHeader('Location', location.of(upload.id));
      return this.completion(exchange, upload, location);
    });
  }

  /** `PUT /upload/:id`, and `POST /upload/:id` with a `Content-Range`: the next chunk. */
  async nextChunk(exchange: HttpExchange, id: string): Promise<UploadBody> {
    const caller = await this.caller(exchange);
    const uploadId = requireId(id);
    const request = await readChunk(exchange, this.type.door);
    return this.receiving(exchange, request, async () =>
      this.answer(exchange, await this.append(caller, uploadId, request), this.location(exchange, 1)),
    );
  }

  /** `POST /upload/:id`: complete. */
  async complete(exchange: HttpExchange, id: string): Promise<unknown> {
    const caller = await this.caller(exchange);
    const uploadId = requireId(id);
    if (takeAwaitingContinue(exchange.incoming)) exchange.outgoing.writeContinue();
    const checksums = await readFields(exchange.incoming);
    const upload = await this.type.engine.complete({ caller, id: uploadId, checksums });
    return this.completion(exchange, upload, this.location(exchange, 1));
  }

  async detail(exchange: HttpExchange, id: string): Promise<UploadBody> {
    const upload = await this.type.engine.find(await this.caller(exchange), requireId(id));
    return this.answer(exchange, upload, this.location(exchange, 1));
  }

  async list(exchange: HttpExchange): Promise<UploadPage> {
    const caller = await this.caller(exchange);
    const filter = parseListQuery(exchange);
    // One more than asked for tells whether there is a next page.
    const uploads = await this.type.engine.list(caller, { ...filter, limit: filter.limit + 1 });
    const page = uploads.slice(0, filter.limit);
    const last = page.at(-1);
    const nextCursor = uploads.length > page.length && last ? cursorOf(last) : null;
    const location = this.location(exchange, 0);
    exchange.setHeader('Cache-Control', 'no-store');
    return {
      items: page.map((upload) => renderUpload(upload, location.of(upload.id))),
      next_cursor: nextCursor,
    };
  }

  async cancel(exchange: HttpExchange, id: string): Promise<void> {
    await this.type.engine.cancel(await this.caller(exchange), requireId(id));
  }

  async content(exchange: HttpExchange, id: string): Promise<StreamableFile | undefined> {
    const upload = await this.type.engine.findComplete(await this.caller(exchange), requireId(id));
    return sendContent(exchange, upload, (range) => this.type.engine.read(upload, range));
  }

  private caller(exchange: HttpExchange): Promise<Caller> {
    return resolveCaller(this.type.door, exchange.request);
  }

  private location(exchange: HttpExchange, routeDepth: 0 | 1): UploadLocation {
    return new UploadLocation(exchange, this.type.door.publicUrl, routeDepth);
  }

  private creation(exchange: HttpExchange, caller: Caller, request: ChunkRequest) {
    return { ...request, caller, idempotencyKey: idempotencyKeyOf(exchange) };
  }

  private append(caller: Caller, id: string, { window, body }: ChunkRequest): Promise<AbstractChunkedUpload> {
    return this.type.engine.append({ caller, id, window, body });
  }

  private async chunkWithoutRange(
    exchange: HttpExchange,
    caller: Caller,
    request: ChunkRequest,
  ): Promise<UploadBody> {
    if (this.type.door.isRangeRequired) throw contentRangeMissing();
    const upload = await this.append(caller, request.uploadId ?? '', request);
    return this.answer(exchange, upload, this.location(exchange, 0));
  }

  /** Whatever happens, nobody waits for bytes that are not wanted. */
  private async receiving<Result>(
    exchange: HttpExchange,
    request: ChunkRequest,
    work: () => Promise<Result>,
  ): Promise<Result> {
    try {
      return await work();
    } finally {
      request.discard();
      discardUnreadBody(exchange);
    }
  }

  private answer(
    exchange: HttpExchange,
    upload: AbstractChunkedUpload,
    location: UploadLocation,
  ): UploadBody {
    setUploadHeaders(exchange, upload);
    return renderUpload(upload, location.of(upload.id));
  }

  /** What `onComplete` returned, or the upload. */
  private completion(
    exchange: HttpExchange,
    upload: AbstractChunkedUpload,
    location: UploadLocation,
  ): unknown {
    const body = this.answer(exchange, upload, location);
    return upload.completionResult ?? body;
  }
}

function requireId(value: string): string {
  const id = parseUploadId(value);
  if (!id) throw notFound();
  return id;
}

/** The client's own name for a creating request (draft-ietf-httpapi-idempotency-key-header). */
function idempotencyKeyOf(exchange: HttpExchange): string | undefined {
  const key = exchange.header('idempotency-key');
  if (key === undefined || /^[\x21-\x7e]{1,255}$/.test(key)) return key;
  throw new UploadError(
    'malformed_request',
    'Idempotency-Key must be 1 to 255 printable ASCII characters, no blanks.',
  );
}
