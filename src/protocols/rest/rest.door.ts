import type { StreamableFile } from '@nestjs/common';
import { resolveCaller } from '../../access/caller.js';
import type { ChunkWindow } from '../../engine/chunk-window.js';
import type { Caller, LateDescription } from '../../engine/upload-commands.js';
import type { AbstractChunkedUpload } from '../../persistence/abstract-chunked-upload.entity.js';
import type { UploadType } from '../../upload-type.js';
import { contentRangeMissing } from '../http/chunk-errors.js';
import { type ChunkRequest, type OpenChunk, readChunk, receiving } from '../http/chunk-request.js';
import { createCommand } from '../http/create-command.js';
import { readFields } from '../http/form-body.js';
import type { HttpExchange } from '../http/http-exchange.js';
import { readNamedUpload } from '../http/named-upload.js';
import { setUploadHeaders } from '../http/upload-headers.js';
import { requireUploadId } from '../../engine/upload-id.js';
import { UploadLocation } from '../http/upload-location.js';
import { writeBody } from '../http/write-body.js';
import { sendContent } from './content.response.js';
import { cursorOf, parseListQuery } from './list.request.js';
import { renderUpload, type UploadBody } from './rest.response.js';

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
    return receiving(exchange, this.read(exchange, caller), async ({ window, open }) => {
      const chunk = await open();
      const location = this.location(exchange, 0);
      if (chunk.uploadId) {
        const appended = await this.append(caller, window, chunk);
        return this.answer(exchange, caller, appended, location);
      }
      const upload = await this.type.engine.create(createCommand(exchange, caller, window, chunk));
      exchange.setHeader('Location', location.of(upload.id));
      return this.answer(exchange, caller, upload, location);
    });
  }

  /** `POST /upload` without `Content-Range`: a whole file and its checksum. */
  async oneShot(exchange: HttpExchange): Promise<unknown> {
    const caller = await this.caller(exchange);
    return receiving(exchange, this.read(exchange, caller, false), async ({ window, open }) => {
      const chunk = this.notContinuing(await open());
      const location = this.location(exchange, 0);
      if (chunk.uploadId) {
        const appended = await this.append(caller, window, chunk);
        return this.answer(exchange, caller, appended, location);
      }
      const upload = await this.type.engine.createComplete(
        createCommand(exchange, caller, window, chunk),
        chunk.fields,
      );
      exchange.setHeader('Location', location.of(upload.id));
      return this.completion(exchange, caller, upload, location);
    });
  }

  /** `PUT /upload/:id`, and `POST /upload/:id` with a `Content-Range`: the next chunk. */
  async nextChunk(exchange: HttpExchange, id: string): Promise<UploadBody> {
    const caller = await this.caller(exchange);
    const uploadId = requireUploadId(id);
    return receiving(exchange, this.read(exchange, caller), async ({ window, open, stream }) => {
      const command = { caller, id: uploadId, window, open: async () => (await open()).body, stream };
      const upload = await this.type.engine.append(command);
      return this.answer(exchange, caller, upload, this.location(exchange, 1));
    });
  }

  /** `POST /upload/:id`: complete. */
  async complete(exchange: HttpExchange, id: string): Promise<unknown> {
    const caller = await this.caller(exchange);
    const uploadId = requireUploadId(id);
    const onAccepted = () => exchange.acceptBody();
    const checksums = await readFields(exchange.incoming, { idleTimeoutMs: this.idleTimeoutMs, onAccepted });
    const upload = await this.type.engine.complete({ caller, id: uploadId, checksums });
    return this.completion(exchange, caller, upload, this.location(exchange, 1));
  }

  async detail(exchange: HttpExchange, id: string): Promise<UploadBody> {
    const caller = await this.caller(exchange);
    const upload = await this.type.engine.find(caller, requireUploadId(id));
    return this.answer(exchange, caller, upload, this.location(exchange, 1));
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
    const items = page.map((upload) => this.render(caller, upload, location));
    return writeBody(exchange, this.type.door, { items, next_cursor: nextCursor }) as UploadPage;
  }

  async cancel(exchange: HttpExchange, id: string): Promise<void> {
    await this.type.engine.cancel(await this.caller(exchange), requireUploadId(id));
  }

  /** `DELETE /upload`: the one that the field `upload_id` names. */
  async cancelNamed(exchange: HttpExchange): Promise<void> {
    const caller = await this.caller(exchange);
    await this.type.engine.cancel(caller, await readNamedUpload(exchange, this.idleTimeoutMs));
  }

  async content(exchange: HttpExchange, id: string): Promise<StreamableFile | undefined> {
    const upload = await this.type.engine.findComplete(await this.caller(exchange), requireUploadId(id));
    return sendContent(exchange, upload, (range) => this.type.engine.read(upload, range));
  }

  private caller(exchange: HttpExchange): Promise<Caller> {
    return resolveCaller(this.type.door, exchange.request);
  }

  private location(exchange: HttpExchange, routeDepth: 0 | 1): UploadLocation {
    return new UploadLocation(exchange, this.type.door.publicUrl, routeDepth);
  }

  /** Reads the headers, and refuses what they show to be beyond the limits. */
  private read(
    exchange: HttpExchange,
    caller: Caller,
    isRangeRequired = this.type.door.isRangeRequired,
  ): ChunkRequest {
    const { fileField } = this.type.door;
    const request = readChunk(exchange, { fileField, isRangeRequired, idleTimeoutMs: this.idleTimeoutMs });
    if (request.window) this.type.engine.admit(caller, request.window);
    return request;
  }

  private get idleTimeoutMs(): number {
    return this.type.engine.context.policy.idleTimeoutMs;
  }

  private append(
    caller: Caller,
    window: ChunkWindow | null,
    chunk: OpenChunk,
  ): Promise<AbstractChunkedUpload> {
    const open = () => Promise.resolve(chunk.body);
    return this.type.engine.append({ caller, id: chunk.uploadId ?? '', window, open, stream: null });
  }

  /** A whole file that is meant for an upload there is, before or behind its bytes, is a chunk without its range. */
  private notContinuing(chunk: OpenChunk): OpenChunk {
    if (!this.type.door.isRangeRequired) return chunk;
    if (chunk.uploadId) throw contentRangeMissing();
    const { late } = chunk;
    const refusing = async (): Promise<LateDescription> => {
      const description = await (late as () => Promise<LateDescription>)();
      if (description.continues) throw contentRangeMissing();
      return description;
    };
    return { ...chunk, late: late && refusing };
  }

  private answer(
    exchange: HttpExchange,
    caller: Caller,
    upload: AbstractChunkedUpload,
    location: UploadLocation,
  ): UploadBody {
    setUploadHeaders(exchange, upload);
    const body = this.render(caller, upload, location);
    return writeBody(exchange, this.type.door, body) as UploadBody;
  }

  /** The body as the app wants it told. */
  private render(caller: Caller, upload: AbstractChunkedUpload, location: UploadLocation): unknown {
    const body = renderUpload(upload, location.of(upload.id));
    return this.type.door.render({ ...body }, upload, caller);
  }

  /** What `onComplete` returned, or the upload. */
  private completion(
    exchange: HttpExchange,
    caller: Caller,
    upload: AbstractChunkedUpload,
    location: UploadLocation,
  ): unknown {
    if (upload.completionResult === null) return this.answer(exchange, caller, upload, location);
    setUploadHeaders(exchange, upload);
    return writeBody(exchange, this.type.door, upload.completionResult);
  }
}
