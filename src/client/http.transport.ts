import { type ClientRequest, type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { ChunkedUploadError } from './chunked-upload-error.js';
import type { NodePiece } from './node-piece.js';
import type { HttpAnswer, HttpRequest } from './platform.js';

/** Sends by `node:http`: `fetch` neither tells how much of a body went out, nor reads an answer that comes before its end. */
export function sendByHttp(request: HttpRequest<NodePiece>): Promise<HttpAnswer> {
  const { method, headers, body, signal, timeoutMs } = request;
  const url = new URL(request.url);
  const bytes = typeof body === 'string' ? Buffer.byteLength(body) : (body?.size ?? 0);
  const length = body === null ? {} : { 'Content-Length': bytes };
  const send = url.protocol === 'https:' ? requestHttps : requestHttp;
  // What cannot be sent at all is no trouble of the network.
  const outgoing = send(url, { method, headers: { ...headers, ...length }, signal });
  return new Promise((resolve, reject) => {
    outgoing.setTimeout(timeoutMs, () => outgoing.destroy(new Error(`Nothing came for ${timeoutMs} ms.`)));
    outgoing.on('error', reject);
    outgoing.on('response', (incoming) => {
      readAnswer(incoming)
        .then(resolve, reject)
        // The rest of the body is not wanted.
        .finally(() => outgoing.writableFinished || outgoing.destroy());
    });
    writeBody(outgoing, request).catch((error: unknown) => {
      if (!(error instanceof ChunkedUploadError)) return;
      reject(error);
      outgoing.destroy();
    });
  });
}

/** Rejects when the connection breaks, which the request tells too, and when the source cannot be read. */
async function writeBody(
  outgoing: ClientRequest,
  { body, onProgress }: HttpRequest<NodePiece>,
): Promise<void> {
  let sent = 0;
  if (body !== null && typeof body !== 'string') {
    for await (const piece of body.bytes()) {
      await written(outgoing, piece);
      sent += piece.length;
      onProgress?.(sent);
    }
  }
  outgoing.end(typeof body === 'string' ? body : undefined);
}

function written(outgoing: ClientRequest, piece: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    outgoing.write(piece, (error) => (error ? reject(error) : resolve()));
  });
}

async function readAnswer(incoming: IncomingMessage): Promise<HttpAnswer> {
  const pieces: Buffer[] = [];
  for await (const piece of incoming) pieces.push(piece as Buffer);
  return {
    status: incoming.statusCode ?? 0,
    text: Buffer.concat(pieces).toString(),
    header: (name) => incoming.headersDistinct[name.toLowerCase()]?.join(', ') ?? null,
  };
}
