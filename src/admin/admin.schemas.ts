import { ADMIN_STATUSES } from '../persistence/admin.repository.js';
import { bytes, date, hexByAlgorithm, nullable, string } from '../protocols/http/schemas.js';

const boolean = { type: 'boolean' };
const integer = { type: 'integer', minimum: 0 };
const object = (properties: object) => ({ type: 'object', properties });
const list = (items: object) => ({ type: 'array', items });

/** JSON schema of the states uploads can be found by. */
export const STATUS_SCHEMA = { type: 'string', enum: ADMIN_STATUSES };

const upload = {
  type: string,
  id: { type: 'string', format: 'uuid' },
  filename: string,
  content_type: nullable(string),
  offset: bytes,
  size: nullable(bytes),
  progress: nullable({ type: 'number', minimum: 0, maximum: 1 }),
  status: { type: 'string', enum: ADMIN_STATUSES.filter((status) => status !== 'expired') },
  user_id: nullable(string),
  owner_type: nullable(string),
  owner_id: nullable(string),
  checksums: hexByAlgorithm,
  metadata: { type: 'object', additionalProperties: true },
  generation: integer,
  lease: nullable(object({ held_until: nullable(date), is_live: boolean, has_holder: boolean })),
  created_at: date,
  updated_at: date,
  completed_at: nullable(date),
  expires_at: nullable(date),
  is_expired: boolean,
};

/** JSON schema of `AdminUploadBody`. */
export const ADMIN_UPLOAD_SCHEMA = object(upload);

/** JSON schema of `AdminUploadDetail`. */
export const ADMIN_DETAIL_SCHEMA = object({
  ...upload,
  storage: nullable(object({ key: string, bytes: nullable(bytes), is_reachable: boolean })),
});

const counted = object({ uploads: integer, bytes });
const states = {
  in_progress: counted,
  complete: counted,
  expired: counted,
  failed: counted,
  deleting: counted,
  total: counted,
};

/** JSON schema of usage. */
export const USAGE_SCHEMA = object({
  total: object(states),
  types: list(
    object({ type: string, ...states, users: list(object({ user_id: nullable(string), ...states })) }),
  ),
});

/** JSON schema of the upload types. */
export const TYPE_SCHEMA = object({
  items: list(
    object({
      type: string,
      routes: list(string),
      cleanup: nullable(string),
      expires_in_seconds: { type: 'number' },
      checksums: list(string),
      durability: { type: 'string', enum: ['chunk', 'complete'] },
      keeps_records: boolean,
      max_open_uploads: nullable(integer),
      max_open_bytes: nullable(bytes),
      limits: nullable(
        object({
          max_bytes: nullable(bytes),
          min_bytes: bytes,
          max_chunk_bytes: nullable(bytes),
          allowed_extensions: nullable(list(string)),
          allowed_mime_types: nullable(list(string)),
        }),
      ),
    }),
  ),
});

const report = { rows: integer, bytes, failures: integer };

const run = nullable(
  object({
    started_at: date,
    finished_at: nullable(date),
    dry_run: boolean,
    unfinished: boolean,
    older_than: nullable(date),
    report: nullable(object({ ...report, types: { type: 'object', additionalProperties: object(report) } })),
    error: nullable(string),
  }),
);

/** JSON schema of the cleanups of a process. */
export const CLEANUP_SCHEMA = object({
  last: run,
  scheduled: list(object({ type: string, cron: string, next_at: date, last: run })),
});

/** JSON schema of what became of many uploads. */
export const BULK_SCHEMA = object({
  succeeded: integer,
  failed: integer,
  items: list(
    object({ type: string, id: string, ok: boolean, error: object({ code: string, detail: string }) }),
  ),
});
