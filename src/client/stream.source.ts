import { createHash, type Hash } from 'node:crypto';
import { ChunkedUploadError } from './chunked-upload-error.js';
import type { NodePiece } from './node-piece.js';
import type { OpenSource } from './platform.js';
import type { ChecksumAlgorithm } from './upload-state.js';

/** Bytes that come once. */
export type ByteStream = AsyncIterable<Uint8Array>;

/**
 * A stream: holds the chunk that is not acknowledged yet, so that it can be sent again, and nothing before it. Hashes what
 * it lets go of.
 */
export class StreamSource implements OpenSource<NodePiece> {
  readonly name = '';
  readonly type = '';
  readonly lastModified = null;
  size: number | null;
  private readonly pieces: AsyncIterator<Uint8Array>;
  private held: Uint8Array[] = [];
  private start = 0;
  private end = 0;
  private isEnded = false;
  private hashing: Hash | null = null;

  /** @param size in bytes, where it is known before the end. */
  constructor(stream: ByteStream, size: number | undefined) {
    this.size = size ?? null;
    this.pieces = stream[Symbol.asyncIterator]();
  }

  /** Reads a little further than asked for: a chunk that is the last one has to say so. */
  async read(start: number, end: number): Promise<NodePiece> {
    if (start < this.start) throw notRepeatable(start);
    while (this.end < start && !this.isEnded) {
      await this.pull();
      this.release(Math.min(start, this.end));
    }
    this.release(start);
    while (this.end <= end && !this.isEnded) await this.pull();
    const held = this.slice(Math.min(end, this.end) - start);
    return { size: held.reduce((bytes, { length }) => bytes + length, 0), bytes: () => held };
  }

  peek(): null {
    return null;
  }

  async checkUnchanged(): Promise<void> {}

  /** What was let go of cannot be hashed any more: the first answer of the server says which checksum it wants. */
  hash(algorithm: ChecksumAlgorithm): () => Promise<string> {
    if (this.start > 0) throw notRepeatable(0);
    const hash = (this.hashing = createHash(algorithm));
    return async () => {
      while (!this.isEnded) {
        this.release(this.end);
        await this.pull();
      }
      this.release(this.end);
      return hash.copy().digest('hex');
    };
  }

  async close(): Promise<void> {
    this.held = [];
    if (!this.isEnded) await this.pieces.return?.();
  }

  private async pull(): Promise<void> {
    const next = await this.pieces.next().catch((cause: unknown) => {
      const message = `The stream cannot be read: ${String(cause)}`;
      throw new ChunkedUploadError('source_unreadable', message, { cause });
    });
    if (!next.done) {
      this.held.push(next.value);
      this.end += next.value.length;
    } else {
      this.isEnded = true;
      this.size ??= this.end;
    }
    const isWrong = this.isEnded ? this.end !== this.size : this.end > (this.size ?? Infinity);
    if (!isWrong) return;
    const message = `The stream does not have the ${this.size} bytes that were announced.`;
    throw new ChunkedUploadError('source_changed', message);
  }

  /** The first bytes of what is held. */
  private slice(bytes: number): Uint8Array[] {
    const slice: Uint8Array[] = [];
    for (const piece of this.held) {
      if (bytes <= 0) break;
      slice.push(piece.subarray(0, bytes));
      bytes -= piece.length;
    }
    return slice;
  }

  /** Bytes before `offset` are acknowledged. */
  private release(offset: number): void {
    while (this.start < offset) {
      const [piece] = this.slice(offset - this.start);
      const first = this.held[0];
      if (!piece || !first) return;
      this.hashing?.update(piece);
      if (piece.length === first.length) this.held.shift();
      else this.held[0] = first.subarray(piece.length);
      this.start += piece.length;
    }
  }
}

/** The error for bytes of a stream that are gone. */
export function notRepeatable(offset: number): ChunkedUploadError {
  return new ChunkedUploadError(
    'source_not_repeatable',
    `The bytes from ${offset} on are needed again, and a stream cannot be read twice.`,
  );
}
