import { REST_STATUSES } from '../protocols/rest/rest.response.js';
import type { StatusTable } from '../protocols/http/problem.js';
import { cursorOf } from './admin-list.request.js';
import type { BulkResult, StoredBytes, TypedSighting } from './upload-admin.js';

/** Status by code: the REST door's, but what is in no state for a command is a conflict. */
export const ADMIN_STATUS_TABLE = {
  ...REST_STATUSES,
  already_complete: 409,
  failed: 409,
} satisfies StatusTable;

/** Who may be writing an upload; never the token that lets them. */
export interface AdminLease {
  readonly held_until: string | null;
  /** False once that is over: the next request of a client takes it. */
  readonly is_live: boolean;
  /** Whether it says which process has it. */
  readonly has_holder: boolean;
}

/** An upload for administrators. What would let somebody write it, or says where its bytes are, is not in it. */
export interface AdminUploadBody {
  readonly type: string;
  readonly id: string;
  readonly filename: string;
  readonly content_type: string | null;
  readonly offset: number;
  readonly size: number | null;
  /** Part that has arrived, 0 to 1; null while no size is declared. */
  readonly progress: number | null;
  /** `deleted` for the record of an upload that expired. */
  readonly status: string;
  readonly user_id: string | null;
  readonly owner_type: string | null;
  readonly owner_id: string | null;
  readonly checksums: Readonly<Record<string, string>>;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly generation: number;
  readonly lease: AdminLease | null;
  readonly created_at: string;
  readonly updated_at: string;
  readonly completed_at: string | null;
  /** Null once complete: it expires no more. */
  readonly expires_at: string | null;
  readonly is_expired: boolean;
}

/** One upload, and what the storage has of it. */
export interface AdminUploadDetail extends AdminUploadBody {
  /** Null where the bytes are deleted. */
  readonly storage: {
    readonly key: string;
    readonly bytes: number | null;
    readonly is_reachable: boolean;
  } | null;
}

export function renderUpload({ type, upload, isExpired, isLeased }: TypedSighting): AdminUploadBody {
  const isRecord = upload.status === 'deleting' && upload.storageKey === null;
  return {
    type,
    id: upload.id,
    filename: upload.filename,
    content_type: upload.contentType,
    offset: upload.offset,
    size: upload.size,
    progress: progressOf(upload.offset, upload.size),
    status: isRecord ? 'deleted' : upload.status,
    user_id: upload.userId === null ? null : String(upload.userId),
    owner_type: upload.ownerType,
    owner_id: upload.ownerId,
    checksums: upload.checksums,
    metadata: upload.metadata,
    generation: upload.generation,
    lease: upload.leaseToken === null ? null : renderLease(upload, isLeased),
    created_at: upload.createdAt.toISOString(),
    updated_at: upload.updatedAt.toISOString(),
    completed_at: upload.completedAt?.toISOString() ?? null,
    expires_at: upload.completedAt ? null : upload.expiresAt.toISOString(),
    is_expired: isExpired,
  };
}

export function renderDetail(
  sighting: TypedSighting,
  { bytes, isReachable }: StoredBytes,
): AdminUploadDetail {
  const { storageKey } = sighting.upload;
  const storage = storageKey === null ? null : { key: storageKey, bytes, is_reachable: isReachable };
  return { ...renderUpload(sighting), storage };
}

function renderLease({ leaseExpiresAt, leaseHolder }: TypedSighting['upload'], isLive: boolean): AdminLease {
  return {
    held_until: leaseExpiresAt?.toISOString() ?? null,
    is_live: isLive,
    has_holder: leaseHolder !== null,
  };
}

/** Rounded down: 1 is all of it. */
function progressOf(offset: number, size: number | null): number | null {
  if (size === null) return null;
  return size === 0 ? 1 : Math.floor((offset / size) * 10_000) / 10_000;
}

/** A page of the list. */
export interface AdminUploadPage {
  readonly items: readonly AdminUploadBody[];
  /** Give it back as `cursor` for the page behind this one; null on the last. */
  readonly next_cursor: string | null;
}

/** The first `limit` of the uploads found, of which one more tells that there is another page. */
export function renderPage(found: readonly TypedSighting[], limit: number): AdminUploadPage {
  const page = found.slice(0, limit);
  const last = page.at(-1);
  const isLast = found.length === page.length || !last;
  return { items: page.map(renderUpload), next_cursor: isLast ? null : cursorOf(last.upload, last.type) };
}

/** What became of many uploads, in the order they were named. */
export interface BulkResultBody {
  readonly succeeded: number;
  readonly failed: number;
  readonly items: readonly {
    readonly type: string;
    readonly id: string;
    readonly ok: boolean;
    readonly error?: { readonly code: string; readonly detail: string };
  }[];
}

export function renderBulk(results: readonly BulkResult[]): BulkResultBody {
  const failed = results.filter(({ error }) => error !== null).length;
  return {
    succeeded: results.length - failed,
    failed,
    items: results.map(({ type, id, error }) => ({
      type,
      id,
      ok: error === null,
      ...(error && { error: { code: error.code, detail: error.message } }),
    })),
  };
}
