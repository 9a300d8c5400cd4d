import { Logger } from '@nestjs/common';
import { storedUpload } from '../engine/engine-context.js';
import { alreadyComplete, busy, notFound, requireIntact } from '../engine/refusal.js';
import { excerpt } from '../errors/excerpt.js';
import { UploadError } from '../errors/upload-error.js';
import type { AbstractChunkedUpload } from '../persistence/abstract-chunked-upload.entity.js';
import type { StatusCounts } from '../persistence/admin-counts.js';
import type { Usage } from '../persistence/admin-usage.js';
import {
  ADMIN_STATUSES,
  type AdminSighting,
  type AdminStatus,
  type Extension,
} from '../persistence/admin.repository.js';
import type { UploadType } from '../upload-type.js';
import type { UploadTypes } from '../upload-types.js';
import { UploadsService } from '../uploads.service.js';
import type { UploadName } from './admin-command.request.js';
import type { ListRequest } from './admin-list.request.js';

const DAY_MS = 24 * 60 * 60 * 1000;
const MAX_EXTENSION_DAYS = 365;
/** Of one request: enough to be quick, few enough to leave connections to the uploads. */
const BULK_AT_ONCE = 4;

/** An upload, and which type it is of. */
export interface TypedSighting extends AdminSighting {
  readonly type: string;
}

/** What became of one upload of many; null: done. */
export interface BulkResult extends UploadName {
  readonly error: UploadError | null;
}

/** What the storage has of an upload; null bytes: nothing, or it could not be asked. */
export interface StoredBytes {
  readonly bytes: number | null;
  readonly isReachable: boolean;
}

/** All upload types of the app, for administrators. It asks nobody who they are: guards do. */
export class UploadAdmin {
  private readonly logger = new Logger('ChunkedUploadAdmin');

  constructor(readonly types: UploadTypes) {}

  /**
   * One more than `limit` of the newest uploads, of one type or of all, merged; by type where times and ids are the same.
   * @throws UploadError `malformed_request` for a type that is not there.
   */
  async list({ type, filter, limit, after }: ListRequest): Promise<TypedSighting[]> {
    const types = type === undefined ? [...this.types] : [this.requireType(type, 'malformed_request')];
    const pages = await Promise.all(
      types.map(async ({ name, engine }) => {
        const place = after && { ...after, isIncluded: name > after.type };
        const page = await engine.context.repositories.admin.list(filter, limit + 1, place);
        return page.map((sighting) => ({ ...sighting, type: name }));
      }),
    );
    return pages
      .flat()
      .sort(newestFirst)
      .slice(0, limit + 1);
  }

  /** @throws UploadError `not_found`. */
  async find({ type, id }: UploadName): Promise<TypedSighting> {
    const { name, engine } = this.requireType(type);
    const sighting = await engine.context.repositories.admin.find(id);
    if (!sighting) throw notFound();
    return { ...sighting, type: name };
  }

  /** What the storage has of an upload, which may be away: that is worth knowing, and no reason to tell nothing. */
  async stored({ type, upload }: TypedSighting): Promise<StoredBytes> {
    if (upload.storageKey === null) return { bytes: null, isReachable: true };
    try {
      const { driver } = this.requireType(type).engine.context;
      return { bytes: await driver.size(storedUpload(upload)), isReachable: true };
    } catch {
      return { bytes: null, isReachable: false };
    }
  }

  /** Deletes an upload in any state, the record of an expired one too. @throws UploadError `not_found`. */
  async delete({ type, id }: UploadName): Promise<void> {
    const uploadType = this.requireType(type);
    try {
      await new UploadsService(uploadType).delete(id);
    } catch (error) {
      // Only records are "expired" to whoever deletes: they have no bytes.
      if (!UploadError.is(error, 'expired')) throw error;
      await uploadType.engine.context.repositories.removals.remove(id);
    }
  }

  /**
   * Lets an unfinished upload live longer, an expired one that is still there too; or shorter.
   * @throws UploadError `not_found`, `already_complete`, `failed`, `busy`; `malformed_request` for a time that is over, or
   *   more than a year away.
   */
  async extend({ type, id }: UploadName, extension: Extension): Promise<TypedSighting> {
    const { name, engine } = this.requireType(type);
    const { admin } = engine.context.repositories;
    const extended = await admin.extend(id, extension, MAX_EXTENSION_DAYS * DAY_MS);
    if (extended) return { ...extended, type: name };
    const sighting = await admin.find(id);
    if (!sighting || sighting.upload.status === 'deleting') throw notFound();
    throw extensionRefusal(sighting.upload, extension);
  }

  /** Does the same to many uploads; what fails does not keep the others. */
  async bulk(
    items: readonly UploadName[],
    work: (item: UploadName) => Promise<unknown>,
  ): Promise<BulkResult[]> {
    const results: BulkResult[] = [];
    for (let start = 0; start < items.length; start += BULK_AT_ONCE) {
      const batch = items.slice(start, start + BULK_AT_ONCE);
      results.push(...(await Promise.all(batch.map((item) => this.attempt(item, work)))));
    }
    return results;
  }

  /** Counts and bytes of each type; of its users the `users` ones with most bytes. */
  async usage(users: number): Promise<(Usage & { readonly type: string })[]> {
    const of = async ({ name, engine }: UploadType) => ({
      type: name,
      ...(await engine.context.repositories.admin.usage(users)),
    });
    return Promise.all([...this.types].map(of));
  }

  /** How many uploads there are in each status, of all types; one type is counted after the other. */
  async counts(): Promise<StatusCounts> {
    const sum = Object.fromEntries(ADMIN_STATUSES.map((status) => [status, 0])) as Record<
      AdminStatus,
      number
    >;
    for (const { engine } of this.types) {
      const counts = await engine.context.repositories.admin.counts();
      for (const status of ADMIN_STATUSES) sum[status] += counts[status];
    }
    return sum;
  }

  /** @throws UploadError for a type that is not there. */
  requireType(name: string, code: 'not_found' | 'malformed_request' = 'not_found'): UploadType {
    const type = this.types.get(name);
    if (type) return type;
    const names = [...this.types].map((known) => known.name).join(', ');
    throw new UploadError(code, `There is no upload type ${excerpt(name)}; there are: ${names}.`);
  }

  private async attempt(item: UploadName, work: (item: UploadName) => Promise<unknown>): Promise<BulkResult> {
    try {
      await work(item);
      return { ...item, error: null };
    } catch (cause) {
      if (UploadError.is(cause)) return { ...item, error: cause };
      this.logger.error(`An upload of ${item.type}: ${item.id}`, cause);
      return { ...item, error: new UploadError('internal_error', 'The server failed.', { cause }) };
    }
  }
}

function newestFirst(one: TypedSighting, other: TypedSighting): number {
  const byTime = other.upload.createdAt.getTime() - one.upload.createdAt.getTime();
  if (byTime !== 0) return byTime;
  if (one.upload.id !== other.upload.id) return one.upload.id > other.upload.id ? -1 : 1;
  return one.type < other.type ? -1 : 1;
}

function extensionRefusal(upload: AbstractChunkedUpload, extension: Extension): UploadError {
  if (upload.status === 'complete') return alreadyComplete(upload.offset);
  requireIntact(upload);
  const from = Math.max(upload.expiresAt.getTime(), Date.now());
  const leftMs = ('until' in extension ? extension.until.getTime() : from + extension.byMs) - Date.now();
  if (leftMs > 0 && leftMs <= MAX_EXTENSION_DAYS * DAY_MS) return busy(null);
  const message = `An upload can be made to expire between now and ${MAX_EXTENSION_DAYS} days from now.`;
  return new UploadError('malformed_request', message);
}
