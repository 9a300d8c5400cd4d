import { plainToInstance } from 'class-transformer';
import { IsIn, IsOptional, Matches, validateSync } from 'class-validator';
import { UploadError } from '../../errors/upload-error.js';
import type { AbstractChunkedUpload } from '../../persistence/abstract-chunked-upload.entity.js';
import type { ListFilter } from '../../persistence/upload.repository.js';
import type { HttpExchange } from '../http/http-exchange.js';
import { parseUploadId } from '../../engine/upload-id.js';

const STATUSES = ['uploading', 'completing', 'complete', 'failed'] as const;
const MAX_PAGE = 100;
const DEFAULT_PAGE = 20;

const OWNER = /^\P{Cc}{0,255}$/u;

/** Query parameters of the list. Strings as they came; nothing is taken for a number that only looks like one. */
class ListQuery {
  @IsOptional()
  @Matches(/^\d{1,3}$/, { message: `limit must be a whole number from 1 to ${MAX_PAGE}` })
  limit?: string;

  @IsOptional()
  @IsIn(STATUSES, { message: `status must be one of: ${STATUSES.join(', ')}` })
  status?: (typeof STATUSES)[number];

  @IsOptional()
  @Matches(OWNER, { message: 'owner_type must be at most 255 characters, without control characters' })
  owner_type?: string;

  @IsOptional()
  @Matches(OWNER, { message: 'owner_id must be at most 255 characters, without control characters' })
  owner_id?: string;

  @IsOptional()
  @Matches(/^[A-Za-z0-9_-]{1,120}$/, { message: 'cursor must be the next_cursor of a page before' })
  cursor?: string;
}

/**
 * Reads the filter of a list.
 * @throws UploadError `malformed_request` naming each parameter that is wrong.
 */
export function parseListQuery(exchange: HttpExchange): ListFilter {
  const names = ['limit', 'status', 'owner_type', 'owner_id', 'cursor'] as const;
  const given = Object.fromEntries(names.map((name) => [name, exchange.query(name)]));
  const query = plainToInstance(ListQuery, given);
  const problems = validateSync(query).flatMap(({ constraints }) => Object.values(constraints ?? {}));
  const limit = query.limit === undefined ? DEFAULT_PAGE : Number(query.limit);
  if (limit < 1 || limit > MAX_PAGE) problems.push(`limit must be a whole number from 1 to ${MAX_PAGE}`);
  const after = query.cursor === undefined ? undefined : parseCursor(query.cursor);
  if (after === null) problems.push('cursor must be the next_cursor of a page before');
  if (problems.length > 0)
    throw new UploadError('malformed_request', `${[...new Set(problems)].join('; ')}.`);
  return {
    limit,
    ...(query.status && { status: query.status }),
    ...(query.owner_type && { ownerType: query.owner_type }),
    ...(query.owner_id && { ownerId: query.owner_id }),
    ...(after && { after }),
  };
}

/** The place behind `upload` in the list, opaque to clients. */
export function cursorOf({ createdAt, id }: AbstractChunkedUpload): string {
  return Buffer.from(`${createdAt.getTime()} ${id}`).toString('base64url');
}

function parseCursor(cursor: string): { createdAt: Date; id: string } | null {
  const [time = '', rawId = ''] = Buffer.from(cursor, 'base64url').toString('utf8').split(' ');
  const id = parseUploadId(rawId);
  return /^\d{1,15}$/.test(time) && id ? { createdAt: new Date(Number(time)), id } : null;
}
