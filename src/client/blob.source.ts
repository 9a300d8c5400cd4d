import { ChunkedUploadError } from './chunked-upload-error.js';
import { hashInWorker } from './hash-in-worker.js';
import type { OpenSource } from './platform.js';
import type { ChecksumAlgorithm } from './upload-state.js';

/** A `File` or `Blob`. A browser lets a file be read as long as it is what it was when it was chosen. */
export class BlobSource implements OpenSource<Blob> {
  readonly name: string;
  readonly type: string;
  readonly lastModified: number | null;
  readonly size: number;

  constructor(private readonly blob: Blob) {
    const { name = '', lastModified = null } = blob as Partial<File>;
    this.name = name;
    this.lastModified = lastModified;
    this.type = blob.type;
    this.size = blob.size;
  }

  read(start: number, end: number): Promise<Blob> {
    return Promise.resolve(this.blob.slice(start, end));
  }

  async peek(start: number, end: number): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = await this.blob.slice(start, end).arrayBuffer().catch(unreadable);
    return new Uint8Array(bytes);
  }

  /** Reads a byte: that is all a page can do to know. */
  async checkUnchanged(): Promise<void> {
    await this.peek(this.size - 1, this.size);
  }

  hash(algorithm: ChecksumAlgorithm, signal: AbortSignal): () => Promise<string> {
    const hex = hashInWorker(this.blob, algorithm, signal).catch(unreadable);
    hex.catch(() => undefined);
    return () => hex;
  }

  async close(): Promise<void> {}
}

/** Browsers do not tell a file that changed from one that is gone. */
function unreadable(cause: unknown): never {
  throw new ChunkedUploadError('source_changed', 'The file has changed.', { cause });
}
