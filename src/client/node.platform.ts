import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { FileSource } from './file.source.js';
import { FileStore } from './file.store.js';
import { sendByHttp } from './http.transport.js';
import { NodeBlobSource } from './node-blob.source.js';
import type { NodePiece } from './node-piece.js';
import type { Platform } from './platform.js';
import { type ByteStream, notRepeatable, StreamSource } from './stream.source.js';

/** What Node can upload: a path, a `file:` URL, a `File` or `Blob`, a stream of bytes. */
export type NodeSource = string | URL | Blob | ByteStream;

/** Streams that were read: read again, they would seem to be empty. */
const consumed = new WeakSet<ByteStream>();

/** Node 20 and later. */
export const nodePlatform: Platform<NodeSource, NodePiece> = {
  open(source, size) {
    if (typeof source === 'string') return FileSource.open(source);
    if (source instanceof URL) return FileSource.open(fileURLToPath(source));
    if (source instanceof Blob) return Promise.resolve(new NodeBlobSource(source));
    if (consumed.has(source)) return Promise.reject(notRepeatable(0));
    consumed.add(source);
    return Promise.resolve(new StreamSource(source, size));
  },
  send: sendByHttp,
  sha256(parts) {
    const hash = createHash('sha256');
    for (const part of parts) hash.update(part);
    return Promise.resolve(hash.digest('hex'));
  },
  // Node does not know; a request tells.
  isOnline: () => true,
  watchNetwork: () => undefined,
  baseUrl: undefined,
  defaultStore: () => new FileStore(),
};
