import type { AbstractChunkedUpload } from '../persistence/abstract-chunked-upload.entity.js';
import type { UploadType } from '../upload-type.js';
import { moment, size, table, visible } from './text.js';

/** An upload of some type. */
export interface TypedUpload {
  readonly type: UploadType;
  readonly upload: AbstractChunkedUpload;
}

/** Columns that are of no use to anybody but the engine, or let others write. */
const INTERNAL = new Set(['digestState', 'idempotencyKey', 'leaseToken']);

/** Everything about an upload for JSON, the columns of the app's own entity included. */
export function uploadJson({ type, upload }: TypedUpload): Record<string, unknown> {
  const columns = Object.entries(upload).filter(([name]) => !INTERNAL.has(name));
  return { type: type.name, ...(Object.fromEntries(columns) as object) };
}

/** Uploads as a table. */
export function uploadTable(uploads: readonly TypedUpload[]): string {
  return table(
    ['ID', 'TYPE', 'STATUS', 'RECEIVED', 'USER', 'OWNER', 'CREATED', 'EXPIRES', 'FILENAME'],
    uploads.map(({ type, upload }) => [
      upload.id,
      type.name,
      upload.status,
      received(upload),
      visible(upload.userId === null ? '-' : String(upload.userId)),
      ownerOf(upload),
      moment(upload.createdAt),
      upload.status === 'complete' ? '-' : moment(upload.expiresAt),
      visible(upload.filename),
    ]),
  );
}

/** One upload in a line, for a question. */
export function uploadLine({ type, upload }: TypedUpload): string {
  const user = upload.userId === null ? 'nobody' : visible(String(upload.userId));
  const at = upload.status === 'complete' ? upload.completedAt : upload.updatedAt;
  return `${type.name} ${upload.id} "${visible(upload.filename)}" of ${user}: ${upload.status}, ${received(upload)}${at ? `, last at ${moment(at)}` : ''}`;
}

/** What it belongs to, for a table. */
export function ownerOf({ ownerType, ownerId }: AbstractChunkedUpload): string {
  return ownerType === null ? '-' : visible(`${ownerType}:${ownerId}`);
}

/** How far it is. */
export function received(upload: AbstractChunkedUpload): string {
  if (upload.status === 'complete') return size(upload.offset);
  return `${size(upload.offset)} of ${upload.size === null ? '?' : size(upload.size)}`;
}
