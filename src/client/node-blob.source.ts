import { createHash } from 'node:crypto';
import type { NodePiece } from './node-piece.js';
import type { OpenSource } from './platform.js';
import type { ChecksumAlgorithm } from './upload-state.js';

/** A `File` or `Blob`, which in Node is in memory or does not change. */
export class NodeBlobSource implements OpenSource<NodePiece> {
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

  async read(start: number, end: number): Promise<NodePiece> {
    return Promise.resolve({ size: end - start, bytes: () => bytesOf(this.blob.slice(start, end)) });
  }

  async peek(start: number, end: number): Promise<Uint8Array<ArrayBuffer>> {
    return new Uint8Array(await this.blob.slice(start, end).arrayBuffer());
  }

  async checkUnchanged(): Promise<void> {}

  hash(algorithm: ChecksumAlgorithm, signal: AbortSignal): () => Promise<string> {
    const hex = digest(this.blob, algorithm, signal);
    // Its failure counts when the checksum is needed.
    hex.catch(() => undefined);
    return () => hex;
  }

  async close(): Promise<void> {}
}

async function digest(blob: Blob, algorithm: ChecksumAlgorithm, signal: AbortSignal): Promise<string> {
  const hash = createHash(algorithm);
  for await (const piece of bytesOf(blob)) {
    signal.throwIfAborted();
    hash.update(piece);
  }
  return hash.digest('hex');
}

/** Node's streams can be iterated, which the types of the web do not say. */
function bytesOf(blob: Blob): AsyncIterable<Uint8Array> {
  return blob.stream();
}
