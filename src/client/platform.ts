import type { ResumeStore } from './resume-store.js';
import type { ChecksumAlgorithm } from './upload-state.js';

/** Some bytes of a source, as the platform's own transport sends them. */
export interface Piece {
  /** Bytes. */
  readonly size: number;
}

/** A file or stream, open for the time of an upload. */
export interface OpenSource<Part extends Piece> {
  readonly name: string;
  /** Media type; empty when unknown. */
  readonly type: string;
  /** In ms since 1970; null when there is none. */
  readonly lastModified: number | null;
  /** Bytes; null while a stream has not ended. */
  readonly size: number | null;
  /**
   * The bytes `[start, end)`, fewer where the source ends. `start` only grows for a stream, or is not `repeatable`.
   * @throws ChunkedUploadError `source_unreadable`, `source_changed`, `source_not_repeatable`.
   */
  read(start: number, end: number): Promise<Part>;
  /** A few bytes of it, for the fingerprint; null for a stream, which has none. */
  peek(start: number, end: number): Promise<Uint8Array<ArrayBuffer>> | null;
  /** @throws ChunkedUploadError `source_changed`, `source_unreadable`. */
  checkUnchanged(): Promise<void>;
  /**
   * Starts the checksum of the whole, beside the upload. The function it returns waits for it, in hex.
   * @throws ChunkedUploadError `source_not_repeatable`, `source_unreadable`, …
   */
  hash(algorithm: ChecksumAlgorithm, signal: AbortSignal): () => Promise<string>;
  close(): Promise<void>;
}

/** One request. */
export interface HttpRequest<Part extends Piece> {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Part | string | null;
  /** Bytes of the body that went out so far. */
  readonly onProgress?: (bytes: number) => void;
  readonly signal: AbortSignal;
  /** Without a byte in either direction for this long, the request fails. */
  readonly timeoutMs: number;
  readonly withCredentials: boolean;
}

/** Its answer, whole. */
export interface HttpAnswer {
  readonly status: number;
  readonly text: string;
  header(name: string): string | null;
}

/** What a browser and Node do differently. */
export interface Platform<Source, Part extends Piece> {
  /** @throws ChunkedUploadError `source_unreadable`. */
  open(source: Source, size: number | undefined): Promise<OpenSource<Part>>;
  /** Rejects when there is no answer; also when `signal` is aborted. */
  send(request: HttpRequest<Part>): Promise<HttpAnswer>;
  /** Of all parts in a row, in hex. */
  sha256(parts: (string | Uint8Array<ArrayBuffer>)[]): Promise<string>;
  isOnline(): boolean;
  /** Calls back whenever {@link isOnline} may have changed, until `signal` is aborted. */
  watchNetwork(listener: () => void, signal: AbortSignal): void;
  /** What relative addresses are relative to. */
  readonly baseUrl: string | undefined;
  readonly defaultStore: () => ResumeStore;
}
