import { setMaxListeners } from 'node:events';
import type { ChunkedUploadOptions } from './client-options.js';
import type { NodePiece } from './node-piece.js';
import { nodePlatform, type NodeSource } from './node.platform.js';
import type { Turns } from './turns.js';
import { UploadCore } from './upload-core.js';
import { keyOf, type UploadKeyOptions } from './upload-key.js';
import { UploadQueueCore } from './upload-queue-core.js';

export type { ChunkedUploadOptions, HeaderSource, RetryOptions, UploadHeaders } from './client-options.js';
export {
  ChunkedUploadError,
  type ChunkedUploadErrorCode,
  type ChunkedUploadErrorDetails,
  type UploadProblem,
} from './chunked-upload-error.js';
export { FileStore } from './file.store.js';
export { MemoryStore } from './memory.store.js';
export type { ResumeStore, StoredUpload } from './resume-store.js';
export type { UploadEvents } from './upload-events.js';
export type { UploadKeyOptions } from './upload-key.js';
export type { UploadQueueOptions } from './upload-queue-core.js';
export type { ChecksumAlgorithm, UploadProgress, UploadResult, UploadState } from './upload-state.js';
export type { NodeSource as UploadSource } from './node.platform.js';

/**
 * Uploads a file by its path, a `Blob` or a stream in chunks, resumably. A stream cannot be gone on with by another
 * process, and the chunk that is on its way is held in memory.
 * @throws TypeError for an endpoint that is no absolute address, RangeError for chunk sizes that are none.
 * @example
 * const upload = new ChunkedUpload('/data/video.mp4', { endpoint: 'https://example.com/upload' });
 * for await (const { bytesSent, size } of upload) console.log(bytesSent, size);
 */
export class ChunkedUpload extends UploadCore<NodeSource, NodePiece> {
  /** @param turns of a queue; without, it starts at once. */
  constructor(source: NodeSource, options: ChunkedUploadOptions, turns?: Turns) {
    super(source, nodePlatform, options, turns);
    // Node warns of eleven listeners on one signal, as many as uploads may share it.
    if (options.signal) setMaxListeners(0, options.signal);
  }
}

/**
 * Several uploads, some at a time.
 * @example
 * const queue = new UploadQueue({ endpoint: 'https://example.com/upload', concurrency: 2 });
 * const results = await Promise.allSettled(paths.map((path) => queue.add(path).start()));
 */
export class UploadQueue extends UploadQueueCore<NodeSource, ChunkedUpload> {
  protected override create(source: NodeSource, options: ChunkedUploadOptions, turns: Turns): ChunkedUpload {
    return new ChunkedUpload(source, options, turns);
  }
}

/**
 * The key under which the store remembers an unfinished upload of this file; null for a stream.
 * @throws ChunkedUploadError `source_unreadable`.
 */
export function uploadKey(source: NodeSource, options: UploadKeyOptions): Promise<string | null> {
  return keyOf(nodePlatform, source, options);
}
