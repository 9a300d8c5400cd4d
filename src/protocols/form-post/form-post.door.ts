import { resolveCaller } from '../../access/caller.js';
import type { Caller } from '../../engine/upload-commands.js';
import type { AbstractChunkedUpload, JsonObject } from '../../persistence/abstract-chunked-upload.entity.js';
import type { UploadType } from '../../upload-type.js';
import { type ChunkRequest, type OpenChunk, readFormChunk, receiving } from '../http/chunk-request.js';
import { createCommand } from '../http/create-command.js';
import { readFields } from '../http/form-body.js';
import type { HttpExchange } from '../http/http-exchange.js';
import { readNamedUpload, uploadNamedIn } from '../http/named-upload.js';
import { setUploadHeaders } from '../http/upload-headers.js';
import { writeBody } from '../http/write-body.js';
import { renderChunk } from './form-post.response.js';

/**
 * The protocol of django-chunked-upload: forms, two urls, and the upload named by a field `upload_id`. It reads a request,
 * calls the engine, renders what it says; the rules are the engine's.
 */
export class FormPostDoor {
  constructor(private readonly type: UploadType) {}

  /** A chunk: the first one without `upload_id`, each other one with it. */
  async chunk(exchange: HttpExchange): Promise<unknown> {
    const caller = await this.caller(exchange);
    return receiving(exchange, this.read(exchange, caller), async ({ window, open }) => {
      const chunk = await open();
      const upload = chunk.uploadId
        ? await this.append(caller, window, { ...chunk, uploadId: chunk.uploadId })
        : await this.type.engine.create(createCommand(exchange, caller, window, chunk));
      return this.answer(exchange, caller, upload, { ...renderChunk(upload) });
    });
  }

  /** Completes the upload that `upload_id` names, with a checksum: an empty object, or what `onComplete` returned. */
  async complete(exchange: HttpExchange): Promise<unknown> {
    const caller = await this.caller(exchange);
    const reading = { idleTimeoutMs: this.idleTimeoutMs, onAccepted: () => exchange.acceptBody() };
    const checksums = await readFields(exchange.incoming, reading);
    const upload = await this.type.engine.complete({ caller, id: uploadNamedIn(checksums), checksums });
    if (upload.completionResult === null) return this.answer(exchange, caller, upload, {});
    setUploadHeaders(exchange, upload);
    return writeBody(exchange, this.type.door, upload.completionResult);
  }

  /** Cancels the upload that `upload_id` names. */
  async cancel(exchange: HttpExchange): Promise<void> {
    const caller = await this.caller(exchange);
    await this.type.engine.cancel(caller, await readNamedUpload(exchange, this.idleTimeoutMs));
  }

  private caller(exchange: HttpExchange): Promise<Caller> {
    return resolveCaller(this.type.door, exchange.request);
  }

  /** Reads the headers, and refuses what they show to be beyond the limits. */
  private read(exchange: HttpExchange, caller: Caller): ChunkRequest {
    const { fileField } = this.type.door;
    // jQuery-File-Upload sends no range with a file that fits into one request.
    const reading = { fileField, isRangeRequired: false, idleTimeoutMs: this.idleTimeoutMs };
    const request = readFormChunk(exchange, reading);
    if (request.window) this.type.engine.admit(caller, request.window);
    return request;
  }

  private append(
    caller: Caller,
    window: ChunkRequest['window'],
    { uploadId: id, body }: OpenChunk & { readonly uploadId: string },
  ): Promise<AbstractChunkedUpload> {
    return this.type.engine.append({ caller, id, window, open: () => Promise.resolve(body), stream: null });
  }

  /** The body as the app wants it told and written. */
  private answer(
    exchange: HttpExchange,
    caller: Caller,
    upload: AbstractChunkedUpload,
    body: JsonObject,
  ): unknown {
    setUploadHeaders(exchange, upload);
    const { door } = this.type;
    return writeBody(exchange, door, door.render(body, upload, caller));
  }

  private get idleTimeoutMs(): number {
    return this.type.engine.context.policy.idleTimeoutMs;
  }
}
