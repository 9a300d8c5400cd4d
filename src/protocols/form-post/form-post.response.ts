import type { AbstractChunkedUpload } from '../../persistence/abstract-chunked-upload.entity.js';
import type { StatusTable } from '../http/problem.js';

/**
 * The form-post door's status for every code: those of django-chunked-upload where it has one, 400 for whatever else is
 * wrong with a request; `statusOverrides` may say otherwise.
 */
export const FORM_POST_STATUSES = {
  already_complete: 400,
  auth_unavailable: 503,
  body_too_large: 400,
  busy: 423,
  checksum_malformed: 400,
  checksum_mismatch: 400,
  checksum_missing: 400,
  checksum_unknown: 400,
  chunk_too_large: 400,
  content_range_invalid: 400,
  content_range_missing: 400,
  database_unavailable: 503,
  encoding_not_supported: 415,
  expired: 410,
  failed: 410,
  filename_invalid: 400,
  forbidden: 403,
  idle_timeout: 408,
  incomplete: 400,
  internal_error: 500,
  length_mismatch: 400,
  malformed_request: 400,
  method_not_allowed: 405,
  no_chunk: 400,
  no_space: 507,
  not_found: 404,
  offset_mismatch: 400,
  owner_not_allowed: 400,
  quota_exceeded: 429,
  range_not_satisfiable: 416,
  refused: 400,
  shutting_down: 503,
  size_mismatch: 400,
  storage_unavailable: 503,
  taken_over: 423,
  too_large: 400,
  too_small: 400,
  type_not_allowed: 400,
  unauthenticated: 403,
} as const satisfies StatusTable;

/** The answer to a chunk. */
export interface ChunkAnswer {
  /** The id as 32 hexadecimal digits. */
  readonly upload_id: string;
  /** Bytes durably received; the next byte expected. */
  readonly offset: number;
  /** Null once complete: it expires no more. */
  readonly expires: string | null;
}

export function renderChunk({ id, offset, status, expiresAt }: AbstractChunkedUpload): ChunkAnswer {
  return {
    upload_id: id.replaceAll('-', ''),
    offset,
    expires: status === 'complete' ? null : expiresAt.toISOString(),
  };
}
