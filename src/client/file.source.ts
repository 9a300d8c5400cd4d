import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { basename } from 'node:path';
import { ChunkedUploadError } from './chunked-upload-error.js';
import type { NodePiece } from './node-piece.js';
import type { OpenSource } from './platform.js';
import type { ChecksumAlgorithm } from './upload-state.js';

const READ_BYTES = 256 * 1024;

/** A file by its path. It stays open, so that replacing it by another one does not mix the two. */
export class FileSource implements OpenSource<NodePiece> {
  readonly type = '';

  private constructor(
    private readonly handle: FileHandle,
    readonly name: string,
    readonly size: number,
    private readonly mtimeMs: number,
  ) {}

  /** @throws ChunkedUploadError `source_unreadable`. */
  static async open(path: string): Promise<FileSource> {
    const handle = await open(path).catch(unreadable);
    const stat = await handle.stat().catch(unreadable);
    if (stat.isFile()) return new FileSource(handle, basename(path), stat.size, stat.mtimeMs);
    await handle.close();
    throw new ChunkedUploadError('source_unreadable', `${path} is no file.`);
  }

  get lastModified(): number {
    return Math.floor(this.mtimeMs);
  }

  async read(start: number, end: number): Promise<NodePiece> {
    return Promise.resolve({ size: end - start, bytes: () => this.bytes(start, end) });
  }

  async peek(start: number, end: number): Promise<Uint8Array<ArrayBuffer>> {
    const read: Uint8Array[] = [];
    for await (const piece of this.bytes(start, end)) read.push(Uint8Array.from(piece));
    return Buffer.concat(read);
  }

  async checkUnchanged(): Promise<void> {
    const { size, mtimeMs } = await this.handle.stat().catch(unreadable);
    if (size !== this.size || mtimeMs !== this.mtimeMs) throw changed(this.name);
  }

  hash(algorithm: ChecksumAlgorithm, signal: AbortSignal): () => Promise<string> {
    const hex = this.digest(algorithm, signal);
    // Its failure counts when the checksum is needed.
    hex.catch(() => undefined);
    return () => hex;
  }

  async close(): Promise<void> {
    await this.handle.close();
  }

  private async digest(algorithm: ChecksumAlgorithm, signal: AbortSignal): Promise<string> {
    const hash = createHash(algorithm);
    for await (const piece of this.bytes(0, this.size)) {
      signal.throwIfAborted();
      hash.update(piece);
    }
    return hash.digest('hex');
  }

  /** Every piece is in the same memory: it is overwritten when the next one is asked for. */
  private async *bytes(start: number, end: number): AsyncGenerator<Uint8Array> {
    const buffer = Buffer.allocUnsafe(Math.min(READ_BYTES, Math.max(1, end - start)));
    for (let at = start; at < end;) {
      const wanted = Math.min(buffer.length, end - at);
      const { bytesRead } = await this.handle.read(buffer, 0, wanted, at).catch(unreadable);
      if (bytesRead === 0) throw changed(this.name);
      yield buffer.subarray(0, bytesRead);
      at += bytesRead;
    }
  }
}

function changed(name: string): ChunkedUploadError {
  return new ChunkedUploadError('source_changed', `${name} changed while it was uploaded.`);
}

function unreadable(cause: NodeJS.ErrnoException): never {
  throw new ChunkedUploadError('source_unreadable', `The file cannot be read: ${cause.message}`, { cause });
}
