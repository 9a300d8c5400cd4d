/**
 * Every way a request can be refused, for all protocols: the closed list. It carries no HTTP status; each front
 * door owns a total table from these codes to its own answers, so a new code does not compile until every door
 * has an answer for it. `docs/errors.md` says of each what the client should do.
 */
export const UPLOAD_ERROR_CODES = [
  'already_complete',
  'auth_unavailable',
  'body_too_large',
  'busy',
  'checksum_malformed',
  'checksum_mismatch',
  'checksum_missing',
  'checksum_unknown',
  'chunk_too_large',
  'content_range_invalid',
  'content_range_missing',
  'database_unavailable',
  'encoding_not_supported',
  'expired',
  'failed',
  'filename_invalid',
  'forbidden',
  'idle_timeout',
  'incomplete',
  'internal_error',
  'length_mismatch',
  'malformed_request',
  'method_not_allowed',
  'no_chunk',
  'no_space',
  'not_found',
  'offset_mismatch',
  'owner_not_allowed',
  'quota_exceeded',
  'range_not_satisfiable',
  'refused',
  'shutting_down',
  'size_mismatch',
  'storage_unavailable',
  'taken_over',
  'too_large',
  'too_small',
  'type_not_allowed',
  'unauthenticated',
] as const;

/** The machine-readable name of a refusal; stable across releases. */
export type UploadErrorCode = (typeof UPLOAD_ERROR_CODES)[number];

/** Facts a client can act on, where the code has them. Bytes and seconds are whole numbers. */
export interface UploadErrorDetails {
  /** Where the upload stands: the next byte expected. */
  readonly offset?: number;
  /** The offset a chunk had to start at. */
  readonly expectedOffset?: number;
  /** The offset the refused chunk started at. */
  readonly providedOffset?: number;
  /** The limit that was exceeded or not reached. */
  readonly limitBytes?: number;
  /** Seconds after which the same request may succeed. */
  readonly retryAfter?: number;
  /** Checksum algorithms the upload was received with. */
  readonly algorithms?: readonly string[];
  /** `WWW-Authenticate` value of the scheme that was not satisfied. */
  readonly challenge?: string;
  /** Methods the resource does have. */
  readonly allow?: readonly string[];
}
