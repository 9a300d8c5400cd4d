import type { IncomingMessage } from 'node:http';
import { excerpt } from '../../errors/excerpt.js';
import { UploadError } from '../../errors/upload-error.js';
import { normalizeMediaType, refuseEncodedBody } from './media-type.js';
import { readMultipart } from './multipart-body.js';
import { malformedRequest } from './multipart-part.js';
import { watchSilence } from './silence.js';
import { connectionBroke, whyUnreadable } from './request-failure.js';

/** A checksum and a few names need no more; what is read here is held in memory. */
const MAX_BODY_BYTES = 16 * 1024;

/** How a body is waited for. */
export interface FieldReading {
  /** Silence after which it is given up. @default never */
  readonly idleTimeoutMs?: number | undefined;
  /** Called when the headers are in order and the body is going to be read. */
  readonly onAccepted?: () => void;
}

const UTF_8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Reads a small body of named fields: a JSON object, a urlencoded form, a multipart form without file, or nothing.
 *
 * Forms give strings. JSON gives what it holds, so a caller has to look at the type of each value it uses; the map is
 * the reason that no key, `__proto__` included, means anything else than itself.
 *
 * @returns The fields; none for an empty body, whatever its type.
 * @throws UploadError `body_too_large` beyond 16 KiB; `encoding_not_supported`; `malformed_request` for another content
 *   type, bytes that are not UTF-8, JSON that is none or no object, a field given twice, a file.
 * @throws The error of the request when the connection broke.
 */
export async function readFields(
  request: IncomingMessage,
  { idleTimeoutMs, onAccepted = () => undefined }: FieldReading = {},
): Promise<ReadonlyMap<string, unknown>> {
  const {
    'content-type': contentType,
    'content-encoding': coding,
    'content-length': length,
  } = request.headers;
  refuseEncodedBody(coding);
  if (Number(length) > MAX_BODY_BYTES) throw bodyTooLarge();
  const mediaType = normalizeMediaType(contentType);
  if (mediaType === 'multipart/form-data' && Number(length) !== 0) {
    const form = readMultipart(request, {
      fileField: null,
      maxFormBytes: MAX_BODY_BYTES,
      ...(idleTimeoutMs !== undefined && { idleTimeoutMs }),
    });
    onAccepted();
    return form.fields;
  }
  onAccepted();
  const body = decode(await readBytes(request, idleTimeoutMs));
  if (body === '') return new Map();
  if (mediaType === 'application/json') return parseJson(body);
  if (mediaType === 'application/x-www-form-urlencoded') return parseForm(body);
  const given = contentType === undefined ? 'none' : excerpt(contentType);
  throw malformedRequest(
    'Send the fields as application/json, application/x-www-form-urlencoded or multipart/form-data; ' +
      `the Content-Type of this request is ${given}.`,
  );
}

/** Collects the body. Leaves the request paused where it stops early, so that the connection can carry the answer. */
function readBytes(request: IncomingMessage, idleTimeoutMs: number | undefined): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = [];
    let length = 0;
    const onData = (piece: Buffer) => {
      length += piece.length;
      if (length > MAX_BODY_BYTES) fail(bodyTooLarge());
      else pieces.push(piece);
    };
    const onEnd = () => {
      detach();
      resolve(Buffer.concat(pieces));
    };
    const onClose = () => fail(connectionBroke());
    const fail = (error: Error) => {
      detach();
      request.pause();
      reject(error);
    };
    const unwatch =
      idleTimeoutMs === undefined ? () => undefined : watchSilence(request, idleTimeoutMs, fail);
    const detach = () => {
      unwatch();
      request.off('data', onData).off('end', onEnd).off('error', fail).off('close', onClose);
    };
    const obstacle = whyUnreadable(request);
    if (obstacle !== null) fail(obstacle);
    else request.on('data', onData).on('end', onEnd).on('error', fail).on('close', onClose).resume();
  });
}

function decode(body: Buffer): string {
  try {
    return UTF_8.decode(body);
  } catch (cause) {
    throw malformedRequest('The body is not UTF-8.', cause);
  }
}

function parseJson(body: string): ReadonlyMap<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch (cause) {
    throw malformedRequest(`The body ${excerpt(body)} is not JSON.`, cause);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw malformedRequest(`The body ${excerpt(body)} is no JSON object. Send one like {"md5": "<hex>"}.`);
  }
  return new Map(Object.entries(value));
}

function parseForm(body: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (const pair of body.split('&').filter((given) => given !== '')) {
    const equals = pair.indexOf('=');
    const name = fromForm(equals === -1 ? pair : pair.slice(0, equals));
    if (fields.has(name)) throw malformedRequest(`The form has two fields ${excerpt(name)}; send one.`);
    fields.set(name, equals === -1 ? '' : fromForm(pair.slice(equals + 1)));
  }
  return fields;
}

function fromForm(encoded: string): string {
  try {
    return decodeURIComponent(encoded.replaceAll('+', ' '));
  } catch (cause) {
    throw malformedRequest(`${excerpt(encoded)} is not percent-encoded UTF-8.`, cause);
  }
}

function bodyTooLarge(): UploadError {
  const message = `The body is longer than the ${MAX_BODY_BYTES} bytes that its few fields may need.`;
  return new UploadError('body_too_large', message, { limitBytes: MAX_BODY_BYTES });
}
