import type { AbstractChunkedUpload } from '../../persistence/abstract-chunked-upload.entity.js';
import type { StatusTable } from '../http/problem.js';

/** The REST door's status for every code, as the Django apps have it; `statusOverrides` may say otherwise. */
export const REST_STATUSES = {
  already_complete: 400,
  auth_unavailable: 503,
  body_too_large: 413,
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
  unauthenticated: 401,
} as const satisfies StatusTable;

/** An upload on the wire. Where its bytes are is nobody's business. */
export interface UploadBody {
  readonly id: string;
  readonly url: string;
  readonly offset: number;
  readonly size: number | null;
  readonly status: string;
  readonly filename: string;
  readonly content_type: string | null;
  readonly checksums: Readonly<Record<string, string>>;
  readonly owner_type: string | null;
  readonly owner_id: string | null;
  readonly user_id: string | null;
  readonly metadata: Readonly<Record<string, unknown>>;
  /** Null once complete: it expires no more. */
  readonly expires: string | null;
  readonly created_at: string;
  readonly completed_at: string | null;
}

export function renderUpload(upload: AbstractChunkedUpload, url: string): UploadBody {
  return {
    id: upload.id,
    url,
    offset: upload.offset,
    size: upload.size,
    status: upload.status,
    filename: upload.filename,
    content_type: upload.contentType,
    checksums: upload.checksums,
    owner_type: upload.ownerType,
    owner_id: upload.ownerId,
    // A column of the app's own may hold a number.
    user_id: upload.userId === null ? null : String(upload.userId),
    metadata: upload.metadata,
    expires: upload.status === 'complete' ? null : upload.expiresAt.toISOString(),
    created_at: upload.createdAt.toISOString(),
    completed_at: upload.completedAt?.toISOString() ?? null,
  };
}
