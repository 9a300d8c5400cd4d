/**
 * Where an upload stands. `waiting`: for its turn in a queue, or before the next try. `offline`: for the network.
 * `complete`, `cancelled` and `failed` are ends; {@link ChunkedUpload.start} tries a failed one again.
 */
export type UploadState =
  | 'idle'
  | 'waiting'
  | 'offline'
  | 'uploading'
  | 'paused'
  | 'completing'
  | 'complete'
  | 'cancelled'
  | 'failed';

/** How far an upload came, at one moment. */
export interface UploadProgress {
  readonly state: UploadState;
  /** Bytes the server has acknowledged, and those on their way. */
  readonly bytesSent: number;
  /** Bytes the server has acknowledged: they need not be sent again. */
  readonly offset: number;
  /** Bytes of the whole file; null while a stream has not ended. */
  readonly size: number | null;
  /** Smoothed over some seconds; null until there is something to measure. */
  readonly bytesPerSecond: number | null;
  /** At that rate; null when size or rate are unknown. */
  readonly secondsLeft: number | null;
}

/** What a finished upload became. */
export interface UploadResult {
  /** Id of the upload on the server. */
  readonly id: string;
  /** Absolute address of the upload; the file itself is at `<url>/content`. */
  readonly url: string;
  readonly filename: string;
  /** Bytes. */
  readonly size: number;
  /** The checksum the server compared, by its algorithm; null when it asked for none. */
  readonly checksum: { readonly algorithm: ChecksumAlgorithm; readonly hex: string } | null;
  /** The server's answer to the completing request: the upload, or what the app's `onComplete` returned. */
  readonly body: unknown;
}

/** Checksums the client can compute. */
export type ChecksumAlgorithm = 'md5' | 'sha256';
