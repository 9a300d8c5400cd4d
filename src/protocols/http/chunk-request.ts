import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { type ChunkWindow, lengthOf } from '../../engine/chunk-window.js';
import type { ChunkBody, FileDescription, LateDescription } from '../../engine/upload-commands.js';
import { brokenForm, contentRangeMissing, lengthMismatch, noChunk } from './chunk-errors.js';
import { requestFilename } from './content-disposition.js';
import { parseContentRange } from './content-range.js';
import type { HttpExchange } from './http-exchange.js';
import { multipartBoundary, normalizeMediaType, refuseEncodedBody } from './media-type.js';
import { type MultipartBody, readMultipart } from './multipart-body.js';
import { parseOwner } from './owner-fields.js';
import { discardUnreadBody } from './unread-body.js';
import { requireUploadId } from '../../engine/upload-id.js';

type Fields = ReadonlyMap<string, string>;

/** A request with bytes in it, as far as its headers tell. */
export interface ChunkRequest {
  /** Null: the request does not say; its body is the whole file. */
  readonly window: ChunkWindow | null;
  /**
   * Reads up to the first byte; call once.
   * @throws UploadError `no_chunk`, `malformed_request`, `idle_timeout`, …
   */
  readonly open: () => Promise<OpenChunk>;
  /** The bytes, where nothing stands before them; null for a form. */
  readonly stream: Readable | null;
  /** Stops reading, when the bytes are not wanted. */
  readonly discard: () => void;
}

/** The same up to its first byte. */
export interface OpenChunk {
  readonly body: ChunkBody;
  /** The upload a form field or query parameter names; null for none so far. */
  readonly uploadId: string | null;
  readonly description: FileDescription;
  /** What stands behind the bytes; null for a raw body, where nothing can. */
  readonly late: (() => Promise<LateDescription>) | null;
  /** Every text field, once the message is whole. */
  readonly fields: () => Promise<Fields>;
}

/** What the reading depends on. */
export interface ChunkReading {
  readonly fileField: string;
  readonly idleTimeoutMs: number;
  /** Whether a request without `Content-Range` is refused. */
  readonly isRangeRequired: boolean;
}

/**
 * Reads the headers of a chunk: a raw body, or a form with a file part and text fields before or behind it.
 * @throws UploadError `content_range_missing`, `content_range_invalid`, `length_mismatch`, `no_chunk`, `encoding_not_supported`.
 */
export function readChunk(exchange: HttpExchange, reading: ChunkReading): ChunkRequest {
  const window = readWindow(exchange, reading);
  return isForm(exchange) ? formChunk(exchange, window, reading) : rawChunk(exchange, window);
}

/** The same where a chunk is a form and nothing else; other bodies are `no_chunk`. @throws UploadError as {@link readChunk}. */
export function readFormChunk(exchange: HttpExchange, reading: ChunkReading): ChunkRequest {
  const window = readWindow(exchange, reading);
  if (!isForm(exchange)) throw noChunk();
  return formChunk(exchange, window, reading);
}

/** Works on a request; whatever happens, nobody waits for bytes that are not wanted. */
export async function receiving<Result>(
  exchange: HttpExchange,
  request: ChunkRequest,
  work: (request: ChunkRequest) => Promise<Result>,
): Promise<Result> {
  try {
    return await work(request);
  } finally {
    request.discard();
    discardUnreadBody(exchange);
  }
}

function readWindow(exchange: HttpExchange, { isRangeRequired }: ChunkReading): ChunkWindow | null {
  refuseEncodedBody(exchange.header('content-encoding'));
  const window = parseContentRange(exchange.header('content-range'));
  if (!window && isRangeRequired) throw contentRangeMissing();
  return window;
}

/** Whether Node made the buffers of the body; those of an injected request (Fastify's `inject`) are the injector's. */
function isFromSocket({ incoming }: HttpExchange): boolean {
  return incoming.socket instanceof Socket;
}

function isForm(exchange: HttpExchange): boolean {
  return normalizeMediaType(exchange.header('content-type')) === 'multipart/form-data';
}

function rawChunk(exchange: HttpExchange, window: ChunkWindow | null): ChunkRequest {
  const { incoming } = exchange;
  const length = announcedLength(exchange);
  if (length === 0 && (!window || lengthOf(window) > 0)) throw noChunk();
  if (length !== null && window && length !== lengthOf(window)) throw lengthMismatch(window, length);
  const body = {
    stream: incoming,
    length,
    keepsPrefix: true,
    isDisposable: isFromSocket(exchange),
    isWhole: Promise.resolve(),
    onAccepted: () => exchange.acceptBody(),
  };
  const open = (): OpenChunk => {
    const fields = exchange.queryEntries();
    return {
      body,
      uploadId: uploadIdIn(fields),
      description: describe(exchange, fields, {
        contentType: normalizeMediaType(exchange.header('content-type')),
      }),
      late: null,
      fields: () => Promise.resolve(fields),
    };
  };
  return {
    window: window ?? (length === null ? null : { start: 0, end: length, total: length }),
    open: async () => Promise.resolve(open()),
    stream: body.isDisposable ? incoming : null,
    discard: () => undefined,
  };
}

function formChunk(exchange: HttpExchange, window: ChunkWindow | null, reading: ChunkReading): ChunkRequest {
  const length = announcedLength(exchange);
  if (window && length !== null && length < lengthOf(window)) throw lengthMismatch(window, length);
  // What the header shows to be no form is refused before anything else is asked.
  multipartBoundary(exchange.header('content-type'));
  let form: MultipartBody | undefined;
  return {
    window,
    open: () => {
      form = readMultipart(exchange.incoming, reading);
      exchange.acceptBody();
      return openForm(exchange, form);
    },
    stream: null,
    discard: () => form?.discard(),
  };
}

async function openForm(exchange: HttpExchange, form: MultipartBody): Promise<OpenChunk> {
  const file = await form.file.catch((error: unknown) => Promise.reject(brokenForm(error)));
  if (!file) throw noChunk();
  const query = exchange.queryEntries();
  const merge = (fields: Fields): Fields => new Map([...query, ...fields]);
  const before = merge(file.fieldsBefore);
  const fields = () => wholeForm(form).then(merge);
  const isDisposable = isFromSocket(exchange);
  return {
    body: { stream: file.stream, length: null, keepsPrefix: false, isDisposable, isWhole: wholeForm(form) },
    uploadId: uploadIdIn(before),
    description: { ...describe(exchange, before, file), isNameFinal: Boolean(before.get('filename')) },
    late: async () => {
      const all = await fields();
      return { ...describe(exchange, all, file), continues: uploadIdIn(all) };
    },
    fields,
  };
}

/** The client's name for the file: its own field, the header made for it, the part's (which old clients call "blob"). */
function describe(
  exchange: HttpExchange,
  fields: Fields,
  part: { filename?: string | undefined; contentType: string | null },
): FileDescription {
  const filename =
    fields.get('filename') || (requestFilename(exchange.header('content-disposition')) ?? part.filename);
  return { filename, isNameFinal: true, contentType: part.contentType, owner: parseOwner(fields) };
}

function uploadIdIn(fields: Fields): string | null {
  const value = fields.get('upload_id');
  return value ? requireUploadId(value) : null;
}

/** Bytes of the body as `Content-Length` has it; null for chunked encoding, 0 for no body. */
function announcedLength(exchange: HttpExchange): number | null {
  if (exchange.header('transfer-encoding') !== undefined) return null;
  return Number(exchange.header('content-length') ?? 0);
}

function wholeForm(form: MultipartBody): Promise<Fields> {
  const whole = form.fields.catch((error: unknown) => Promise.reject(brokenForm(error)));
  // Whoever waits for it hears of the failure; nobody has to.
  whole.catch(() => undefined);
  return whole;
}
