import { IsIn, IsOptional, Matches } from 'class-validator';
import type { AbstractChunkedUpload } from '../persistence/abstract-chunked-upload.entity.js';
import { ADMIN_STATUSES, type AdminFilter, type AdminStatus } from '../persistence/admin.repository.js';
import type { HttpExchange } from '../protocols/http/http-exchange.js';
import { parseUploadId } from '../engine/upload-id.js';
import { instantOf, IsInstant, malformed, readInput } from './admin-input.js';

const MAX_PAGE = 100;
const DEFAULT_PAGE = 20;
const DEFAULT_USERS = 10;

const TEXT = /^\P{Cc}{1,255}$/u;
const IsText = (): PropertyDecorator =>
  Matches(TEXT, { message: '$property must have 1 to 255 characters, and no control characters' });
const IsCount = (): PropertyDecorator =>
  Matches(/^([1-9]\d?|100)$/, { message: `$property must be a whole number from 1 to ${MAX_PAGE}` });

class ListQuery {
  @IsOptional()
  @IsText()
  type?: string;

  @IsOptional()
  @IsIn(ADMIN_STATUSES, { message: `status must be one of: ${ADMIN_STATUSES.join(', ')}` })
  status?: AdminStatus;

  @IsOptional()
  @IsText()
  user_id?: string;

  @IsOptional()
  @IsText()
  owner_type?: string;

  @IsOptional()
  @IsText()
  owner_id?: string;

  @IsOptional()
  @IsInstant()
  created_after?: string;

  @IsOptional()
  @IsInstant()
  created_before?: string;

  @IsOptional()
  @IsInstant()
  completed_after?: string;

  @IsOptional()
  @IsInstant()
  completed_before?: string;

  @IsOptional()
  @IsText()
  search?: string;

  @IsOptional()
  @IsCount()
  limit?: string;

  @IsOptional()
  @Matches(/^[A-Za-z0-9_-]{1,500}$/, { message: 'cursor must be the next_cursor of a page before' })
  cursor?: string;
}

class UsageQuery {
  @IsOptional()
  @IsCount()
  users?: string;
}

/** The last upload of a page, among those of all types. */
export interface Cursor {
  readonly createdAt: Date;
  readonly id: string;
  readonly type: string;
}

/** What is listed. */
export interface ListRequest {
  readonly type: string | undefined;
  readonly filter: AdminFilter;
  readonly limit: number;
  readonly after: Cursor | undefined;
}

/** @throws UploadError `malformed_request`. */
export function parseListRequest(exchange: HttpExchange): ListRequest {
  const query = readInput(ListQuery, Object.fromEntries(exchange.queryEntries()));
  const time = (value: string | undefined) => instantOf(value) ?? undefined;
  // What is an id is looked for as one: that is one look into an index.
  const id = query.search === undefined ? null : parseUploadId(query.search);
  return {
    type: query.type,
    limit: Number(query.limit ?? DEFAULT_PAGE),
    after: query.cursor === undefined ? undefined : parseCursor(query.cursor),
    filter: {
      id: id ?? undefined,
      status: query.status,
      userId: query.user_id,
      ownerType: query.owner_type,
      ownerId: query.owner_id,
      createdAfter: time(query.created_after),
      createdBefore: time(query.created_before),
      completedAfter: time(query.completed_after),
      completedBefore: time(query.completed_before),
      filename: id ? undefined : query.search,
    },
  };
}

/** How many users usage tells of. @throws UploadError `malformed_request`. */
export function parseUsageRequest(exchange: HttpExchange): number {
  const { users } = readInput(UsageQuery, Object.fromEntries(exchange.queryEntries()));
  return Number(users ?? DEFAULT_USERS);
}

/** The place behind an upload of the named type, opaque to clients. */
export function cursorOf({ createdAt, id }: AbstractChunkedUpload, type: string): string {
  return Buffer.from(`${createdAt.getTime()} ${id} ${type}`).toString('base64url');
}

function parseCursor(cursor: string): Cursor {
  const [, time = '', rawId = '', type = ''] =
    /^(\d{1,15}) (\S+) (\S+)$/.exec(Buffer.from(cursor, 'base64url').toString('utf8')) ?? [];
  const id = parseUploadId(rawId);
  if (!id) throw malformed(['cursor must be the next_cursor of a page before']);
  return { createdAt: new Date(Number(time)), id, type };
}
