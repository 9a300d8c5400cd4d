import type { ResumeStore } from './resume-store.js';
import type { ChecksumAlgorithm } from './upload-state.js';

/** Request headers by name. */
export type UploadHeaders = Readonly<Record<string, string>>;

/**
 * Headers, or a function that is asked for them before each request, and once more with `unauthorized` when the server
 * answered that nobody is signed in: the place to refresh a token.
 */
export type HeaderSource =
  UploadHeaders | ((reason: 'request' | 'unauthorized') => UploadHeaders | Promise<UploadHeaders>);

/** How failures that may heal are tried again. */
export interface RetryOptions {
  /** Tries in a row without a byte of progress. @default 10 */
  readonly maxAttempts?: number;
  /** Longest wait before the second try; it doubles with each, and is drawn anew between 0 and that. @default 500 */
  readonly minDelayMs?: number;
  /** The wait doubles no further. What the server asks for with `Retry-After` is waited in any case. @default 30000 */
  readonly maxDelayMs?: number;
}

/** How to upload. Only `endpoint` is needed. */
export interface ChunkedUploadOptions {
  /** Route of the uploads, e.g. `/upload`; absolute in Node. A query string goes with every request. */
  readonly endpoint: string | URL;
  /** @default the name of the file, else `upload` */
  readonly filename?: string;
  /** @default the type of the file as the browser knows it, else `application/octet-stream` */
  readonly contentType?: string;
  /** Bytes of a stream, where they are known before it ends. */
  readonly size?: number;
  /** The object of your app that the upload belongs to. */
  readonly owner?: { readonly type: string; readonly id: string };
  /** Sent with every request. @default none */
  readonly headers?: HeaderSource;
  /** Whether a browser sends cookies to another origin. @default false */
  readonly withCredentials?: boolean;
  /**
   * Bytes of a chunk: a number, or limits within which it follows the speed of the line, so that a chunk takes some
   * seconds. @default { min: 1 MiB, max: 64 MiB }, beginning with 5 MiB
   */
  readonly chunkBytes?: number | { readonly min: number; readonly max: number };
  /** Checksum of the whole file; `auto` is what the server asks for. @default 'auto' */
  readonly checksum?: 'auto' | ChecksumAlgorithm | false;
  readonly retry?: RetryOptions;
  /** A request that neither sends nor receives for this long, in ms, is given up and tried again. @default 60000 */
  readonly timeoutMs?: number;
  /** Where unfinished uploads are remembered. @default IndexedDB in browsers, a folder in Node; `false`: nowhere */
  readonly store?: ResumeStore | false;
  /** Whose uploads these are: others who use the same browser or account do not go on with them. @default nobody's */
  readonly userId?: string;
  /** Go on with this upload; the file must be the one it was begun with. */
  readonly uploadUrl?: string | URL;
  /** Stops the upload as if the process ended: it can be gone on with. The promise rejects with `aborted`. */
  readonly signal?: AbortSignal;
}
