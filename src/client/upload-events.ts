import type { ChunkedUploadError } from './chunked-upload-error.js';
import type { UploadProgress, UploadResult, UploadState } from './upload-state.js';

/** Events of an upload, and what their listeners get. */
export interface UploadEvents {
  /** Bytes went out or were acknowledged, or the state changed; at most some times a second. */
  readonly progress: UploadProgress;
  readonly statechange: UploadState;
  /** The upload has a url now: a new one, or one begun before. */
  readonly created: { readonly url: string; readonly isResumed: boolean };
  /** The server acknowledged the bytes `[start, end)`. */
  readonly chunk: { readonly start: number; readonly end: number };
  /** Something failed that may heal; it is tried again after `delayMs`. With `attempt` 0 another client goes on, and this one looks on. */
  readonly retry: { readonly error: ChunkedUploadError; readonly attempt: number; readonly delayMs: number };
  readonly complete: UploadResult;
  readonly error: ChunkedUploadError;
  readonly cancel: undefined;
}
