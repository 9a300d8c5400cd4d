import {
  ArrayMaxSize,
  ArrayNotEmpty,
  IsArray,
  IsBoolean,
  IsIn,
  IsOptional,
  IsString,
  Matches,
  MaxLength,
} from 'class-validator';
import type { CleanupOptions } from '../cleanup/upload-cleanup.js';
import type { Extension } from '../persistence/admin.repository.js';
import type { HttpExchange } from '../protocols/http/http-exchange.js';
import { parseUploadId } from '../engine/upload-id.js';
import {
  durationOf,
  instantOf,
  IsDuration,
  IsInstant,
  malformed,
  readInput,
  readJson,
} from './admin-input.js';

const MAX_ITEMS = 100;
const ID = /^[0-9a-fA-F-]{32,36}$/;
const ACTIONS = ['delete', 'extend'] as const;

class ExtendBody {
  @IsOptional()
  @IsInstant()
  expires_at?: string;

  @IsOptional()
  @IsDuration()
  by?: string;
}

class BulkBody extends ExtendBody {
  @IsIn(ACTIONS, { message: `action must be one of: ${ACTIONS.join(', ')}` })
  action: (typeof ACTIONS)[number];

  @IsArray({ message: 'items must be a list' })
  @ArrayNotEmpty({ message: 'items must not be empty' })
  @ArrayMaxSize(MAX_ITEMS, { message: `items must be at most ${MAX_ITEMS}` })
  items: unknown[];
}

class BulkItem {
  @IsString({ message: 'type of each item must be the name of an upload type' })
  @MaxLength(255, { message: 'type of each item must be the name of an upload type' })
  type: string;

  @Matches(ID, { message: 'id of each item must be the id of an upload' })
  id: string;
}

class CleanupBody {
  @IsOptional()
  @IsBoolean({ message: 'dry_run must be true or false' })
  dry_run?: boolean;

  @IsOptional()
  @IsArray({ message: 'types must be a list of upload types' })
  @ArrayNotEmpty({ message: 'types must not be empty; leave it away for all' })
  @IsString({ each: true, message: 'types must be a list of upload types' })
  types?: string[];

  @IsOptional()
  @IsDuration()
  older_than?: string;

  @IsOptional()
  @IsBoolean({ message: 'unfinished must be true or false' })
  unfinished?: boolean;
}

/** An upload by its type and id. */
export interface UploadName {
  readonly type: string;
  readonly id: string;
}

/** What is done to many uploads; `extension` is null where they are deleted. */
export interface BulkRequest {
  readonly extension: Extension | null;
  readonly items: readonly UploadName[];
}

/** @throws UploadError `malformed_request`. */
export async function parseExtendRequest(exchange: HttpExchange): Promise<Extension> {
  return extensionOf(readInput(ExtendBody, await readJson(exchange)));
}

/** @throws UploadError `malformed_request`, for one wrong item too: then nothing is done. */
export async function parseBulkRequest(exchange: HttpExchange): Promise<BulkRequest> {
  const { action, items, ...times } = readInput(BulkBody, await readJson(exchange));
  if (action === 'delete' && (times.by ?? times.expires_at ?? null) !== null) {
    throw malformed(['by and expires_at are for extend, not for delete']);
  }
  const names = items.map((item) => nameOf(readInput(BulkItem, item)));
  if (new Set(names.map(({ type, id }) => `${id} ${type}`)).size < names.length) {
    throw malformed(['items must name each upload once']);
  }
  return { extension: action === 'extend' ? extensionOf(times) : null, items: names };
}

/** @throws UploadError `malformed_request`. */
export async function parseCleanupRequest(exchange: HttpExchange): Promise<CleanupOptions> {
  const { dry_run, types, older_than, unfinished } = readInput(CleanupBody, await readJson(exchange));
  const age = durationOf(older_than);
  // The cleanup would take the wider one, which is hardly what is meant.
  if (age !== null && unfinished) throw malformed(['Send older_than or unfinished, not both']);
  return {
    dryRun: dry_run ?? false,
    unfinished: unfinished ?? false,
    ...(types && { types }),
    ...(age !== null && { olderThan: new Date(Date.now() - age) }),
  };
}

function extensionOf({ expires_at, by }: ExtendBody): Extension {
  const [until, byMs] = [instantOf(expires_at), durationOf(by)];
  if (until && byMs === null) return { until };
  if (byMs !== null && !until) return { byMs };
  throw malformed(["Send either expires_at, a time, or by, a duration like '2d'"]);
}

function nameOf({ type, id }: BulkItem): UploadName {
  const parsed = parseUploadId(id);
  if (!parsed) throw malformed(['id of each item must be the id of an upload']);
  return { type, id: parsed };
}
