import { systemCode } from '../errors/system-code.js';
import type { AbstractChunkedUpload } from './abstract-chunked-upload.entity.js';
import { countsOf, countsQuery, type StatusCounts } from './admin-counts.js';
import { type Usage, usageOf, type UsagePart, usageQuery } from './admin-usage.js';
import type { Row } from './row-mapper.js';
import type { UploadTable } from './upload-table.js';

/** An upload as an administrator sees it, by the database's clock. */
export interface AdminSighting<Entity extends AbstractChunkedUpload = AbstractChunkedUpload> {
  readonly upload: Entity;
  /** Due: the next cleanup deletes it. */
  readonly isExpired: boolean;
  /** Whether somebody's right to write is not over. */
  readonly isLeased: boolean;
}

/** An upload that is due and still there; a complete one never is. */
const IS_DUE = `(status IN ('uploading', 'completing', 'failed') AND expires_at <= now())`;

/** States by which uploads can be found: those of the rows, and what time and deletion make of them. */
const STATUS_CONDITIONS = {
  uploading: `status = 'uploading'`,
  completing: `status = 'completing'`,
  complete: `status = 'complete'`,
  failed: `status = 'failed'`,
  expired: IS_DUE,
  deleting: `status = 'deleting' AND storage_key IS NOT NULL`,
  deleted: `status = 'deleting' AND storage_key IS NULL`,
} as const;

/** One of {@link ADMIN_STATUSES}. */
export type AdminStatus = keyof typeof STATUS_CONDITIONS;

/** What an administrator may look for; `deleted` are the records of uploads that expired. */
export const ADMIN_STATUSES = Object.keys(STATUS_CONDITIONS) as AdminStatus[];

/** Which uploads are listed; what is missing holds nobody back. */
export interface AdminFilter {
  readonly id?: string | undefined;
  readonly status?: AdminStatus | undefined;
  readonly userId?: string | undefined;
  readonly ownerType?: string | undefined;
  readonly ownerId?: string | undefined;
  /** From then on. */
  readonly createdAfter?: Date | undefined;
  /** Before then. */
  readonly createdBefore?: Date | undefined;
  readonly completedAfter?: Date | undefined;
  readonly completedBefore?: Date | undefined;
  /** A part of the file name, in any case. */
  readonly filename?: string | undefined;
}

/** A place in the list: behind this upload, or with it where another type's stood there. */
export interface AdminPlace {
  readonly createdAt: Date;
  readonly id: string;
  readonly isIncluded: boolean;
}

/** A new time of expiry: a point, or what is added to the one there is, counted from now where that is over. */
export type Extension = { readonly until: Date } | { readonly byMs: number };

const SIGHT = `*, ${IS_DUE} AS is_expired,
  (lease_token IS NOT NULL AND lease_expires_at > now()) AS is_leased`;

/** What PostgreSQL says of a text that is no value of a column's type: a user's column may be a number or a uuid. */
const NO_VALUE = /^22(P02|003|007|008)$/;

/** Uploads for administrators: all of a type, whoever's they are, expired and deleted ones included. */
export class AdminRepository<Entity extends AbstractChunkedUpload> {
  constructor(private readonly table: UploadTable<Entity>) {}

  /** A page, newest first. Conditions are written for the filter at hand, so that indices serve it. */
  async list(filter: AdminFilter, limit: number, after?: AdminPlace): Promise<AdminSighting<Entity>[]> {
    const { conditions, parameters } = this.conditionsOf(filter);
    if (after) {
      const [time, id] = [parameters.push(after.createdAt), parameters.push(after.id)];
      const comparison = after.isIncluded ? '<=' : '<';
      conditions.push(`(created_at, id) ${comparison} ($${time}::timestamptz, $${id}::uuid)`);
    }
    const where = conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : '';
    const count = parameters.push(limit);
    const sql = `SELECT ${SIGHT} FROM ${this.table.name} ${where} ORDER BY created_at DESC, id DESC LIMIT $${count}`;
    try {
      return (await this.table.rows(sql, parameters)).map((row) => this.toSighting(row));
    } catch (error) {
      if (filter.userId !== undefined && NO_VALUE.test(systemCode(error) ?? '')) return [];
      throw error;
    }
  }

  async find(id: string): Promise<AdminSighting<Entity> | null> {
    const [row] = await this.table.rows(`SELECT ${SIGHT} FROM ${this.table.name} WHERE id = $1`, [id]);
    return row ? this.toSighting(row) : null;
  }

  /**
   * Moves the expiry of an unfinished upload to a time after now and at most `maxMs` away. Null: it is not unfinished, the
   * time is none of those, or its row is locked by a completion.
   */
  async extend(id: string, extension: Extension, maxMs: number): Promise<AdminSighting<Entity> | null> {
    const [until, byMs] = 'until' in extension ? [extension.until, null] : [null, extension.byMs];
    const inMs = (n: number) => `$${n}::float8 * interval '1 millisecond'`;
    const moved = `COALESCE($2::timestamptz, GREATEST(expires_at, now()) + ${inMs(3)})`;
    const [row] = await this.table.rows(
      `UPDATE ${this.table.name} SET expires_at = ${moved}, updated_at = now()
       WHERE id = ${this.table.unlocked(1)} AND status IN ('uploading', 'completing')
         AND ${moved} > now() AND ${moved} <= now() + ${inMs(4)} RETURNING ${SIGHT}`,
      [id, until, byMs, maxMs],
    );
    return row ? this.toSighting(row) : null;
  }

  /** How many uploads there are in each status. */
  async counts(): Promise<StatusCounts> {
    return countsOf(await this.table.rows(countsQuery(this.table.name), []));
  }

  /** Counts and bytes, in one pass over the table; of users the `top` ones by bytes. */
  async usage(top: number): Promise<Usage> {
    const conditions = {
      inProgress: `status IN ('uploading', 'completing') AND expires_at > now()`,
      complete: STATUS_CONDITIONS.complete,
      expired: IS_DUE,
      failed: `status = 'failed' AND expires_at > now()`,
      deleting: STATUS_CONDITIONS.deleting,
    } satisfies Record<UsagePart, string>;
    return usageOf(await this.table.rows(usageQuery(this.table, conditions), [top]));
  }

  private conditionsOf(filter: AdminFilter): { conditions: string[]; parameters: unknown[] } {
    const conditions: string[] = filter.status ? [STATUS_CONDITIONS[filter.status]] : [];
    const parameters: unknown[] = [];
    const add = (value: unknown, condition: (parameter: string) => string): void => {
      if (value !== undefined) conditions.push(condition(`$${parameters.push(value)}`));
    };
    const { column, type } = this.table.user;
    add(filter.id, (id) => `id = ${id}::uuid`);
    add(filter.userId, (user) => `${column} = ${user}::${type}`);
    add(filter.ownerType, (owner) => `owner_type = ${owner}`);
    add(filter.ownerId, (owner) => `owner_id = ${owner}`);
    add(filter.createdAfter, (time) => `created_at >= ${time}`);
    add(filter.createdBefore, (time) => `created_at < ${time}`);
    add(filter.completedAfter, (time) => `completed_at >= ${time}`);
    // Nothing is complete before it is created: an index over created_at narrows this one, too.
    add(filter.completedBefore, (time) => `completed_at < ${time} AND created_at < ${time}`);
    const pattern = filter.filename && `%${filter.filename.replace(/[\\%_]/g, '\\$&')}%`;
    add(pattern, (name) => `filename ILIKE ${name}`);
    return { conditions, parameters };
  }

  private toSighting(row: Row): AdminSighting<Entity> {
    return {
      upload: this.table.mapper.toEntity(row),
      isExpired: row.is_expired === true,
      isLeased: row.is_leased === true,
    };
  }
}
