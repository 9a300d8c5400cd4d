import { browserPlatform } from './browser.platform.js';
import type { ChunkedUploadOptions } from './client-options.js';
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
export { IndexedDbStore } from './indexed-db.store.js';
export { MemoryStore } from './memory.store.js';
export type { ResumeStore, StoredUpload } from './resume-store.js';
export type { UploadEvents } from './upload-events.js';
export type { UploadKeyOptions } from './upload-key.js';
export type { UploadQueueOptions } from './upload-queue-core.js';
export type { ChecksumAlgorithm, UploadProgress, UploadResult, UploadState } from './upload-state.js';

/** What a browser can upload. */
export type UploadSource = Blob;

/**
 * Uploads a `File` or `Blob` in chunks, resumably.
 * @throws TypeError for an endpoint that is no address, RangeError for chunk sizes that are none.
 * @example
 * const upload = new ChunkedUpload(input.files[0], { endpoint: '/upload' });
 * upload.on('progress', ({ bytesSent, size }) => (bar.value = bytesSent / size));
 * const { url } = await upload.start();
 */
export class ChunkedUpload extends UploadCore<UploadSource, Blob> {
  /** @param turns of a queue; without, it starts at once. */
  constructor(source: UploadSource, options: ChunkedUploadOptions, turns?: Turns) {
    super(source, browserPlatform, options, turns);
  }
}

/**
 * Several uploads, some at a time.
 * @example
 * const queue = new UploadQueue({ endpoint: '/upload', concurrency: 2 });
 * for (const file of input.files) queue.add(file);
 */
export class UploadQueue extends UploadQueueCore<UploadSource, ChunkedUpload> {
  protected override create(
    source: UploadSource,
    options: ChunkedUploadOptions,
    turns: Turns,
  ): ChunkedUpload {
    return new ChunkedUpload(source, options, turns);
  }
}

/**
 * The key under which the store remembers an unfinished upload of this file: tells whether a chosen file is the one.
 * @throws ChunkedUploadError `source_changed` when it cannot be read.
 */
export function uploadKey(source: UploadSource, options: UploadKeyOptions): Promise<string | null> {
  return keyOf(browserPlatform, source, options);
}
