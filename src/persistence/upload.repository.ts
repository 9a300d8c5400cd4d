import type { EntityManager, QueryDeepPartialEntity } from 'typeorm';
import { UploadError } from '../errors/upload-error.js';
import type { AbstractChunkedUpload, UploadStatus } from './abstract-chunked-upload.entity.js';
import { answered } from './database-deadline.js';
import { databaseFailure } from './database-failure.js';
import type { Lease } from './lease.repository.js';
import { LEASE_IS_FREE, type UploadScope, type UploadTable } from './upload-table.js';

/** An upload as the database sees it now, by its own clock. */
export interface Sighting<Entity> {
  readonly upload: Entity;
  readonly isExpired: boolean;
  /** Seconds the lease still has; null when nobody holds one, or it is over. */
  readonly leaseSeconds: number | null;
}

/** A page of a list: newest first, by key, so that the millionth row costs what the first one does. */
export interface ListFilter {
  readonly limit: number;
  readonly status?: UploadStatus;
  readonly ownerType?: string;
  readonly ownerId?: string;
  /** The last row of the page before. */
  readonly after?: { readonly createdAt: Date; readonly id: string };
}

/** What one user may have unfinished at a time. */
export interface Quota {
  readonly uploads: number;
  /** Declared, or received while nothing is declared. */
  readonly bytes: number;
}

/** A row to insert, leased from the start. */
export interface NewUpload<Entity> {
  readonly values: Partial<Entity>;
  readonly lease: Lease;
  readonly expiresInMs: number;
}

const SIGHT = `(status <> 'complete' AND expires_at <= now()) AS is_expired,
  CASE WHEN lease_expires_at > now() THEN EXTRACT(EPOCH FROM lease_expires_at - now())::float8 END AS lease_seconds`;

/** Uploads as rows: create, describe, find, list. */
export class UploadRepository<Entity extends AbstractChunkedUpload> {
  constructor(private readonly table: UploadTable<Entity>) {}

  /**
   * Inserts a row that is already leased. Null: another upload has the same idempotency key, or the same value in a
   * unique column of the app's own.
   * @throws UploadError `quota_exceeded`; the count is taken under a lock of the user's, so that no race gets past it.
   */
  async insert(upload: NewUpload<Entity>, quota: Quota | null): Promise<Entity | null> {
    try {
      const { dataSource } = this.table;
      if (!quota) return await answered(this.insertBy(dataSource.manager, upload));
      const insertion = dataSource.transaction(async (manager) => {
        const inserted = await this.insertBy(manager, upload);
        // A repetition creates nothing, and so cannot exceed anything.
        if (inserted) await this.admit(manager, inserted, quota);
        return inserted;
      });
      return await answered(insertion);
    } catch (error) {
      throw databaseFailure(error);
    }
  }

  /**
   * Counts again when more is known.
   * @param size Of a whole file that did not declare it; null when there is nothing to add.
   * @throws UploadError `quota_exceeded`.
   */
  async recount(upload: Entity, quota: Quota, size: number | null): Promise<void> {
    try {
      const counting = this.table.dataSource.transaction(async (manager) => {
        const sized = `UPDATE ${this.table.name} SET size = $2 WHERE id = $1 AND size IS NULL`;
        if (size !== null) await manager.query(sized, [upload.id, size]);
        await this.admit(manager, upload, quota);
      });
      await answered(counting);
    } catch (error) {
      throw databaseFailure(error);
    }
  }

  /**
   * The lock comes before the count: of two that were inserted at once, the second one counts both. What a creation that
   * died left is nobody's: no client knows of it.
   */
  private async admit(manager: EntityManager, { userId }: Entity, quota: Quota): Promise<void> {
    const lock = `${this.table.name} ${userId}`;
    await manager.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [lock]);
    // `IS NOT DISTINCT FROM` would say both, and use no index.
    const isTheirs = userId === null ? 'IS NULL AND $1::text IS NULL' : '= $1';
    const [open] = await manager.query<{ uploads: number; bytes: string }[]>(
      `SELECT count(*)::int AS uploads, COALESCE(sum(COALESCE(size, "offset")), 0)::text AS bytes
       FROM ${this.table.name} WHERE ${this.table.user.column} ${isTheirs} AND status IN ('uploading', 'completing')
         AND NOT (storage_state IS NULL AND ${LEASE_IS_FREE})`,
      [userId],
    );
    const [uploads, bytes] = [open?.uploads ?? 0, Number(open?.bytes)];
    if (uploads > quota.uploads) {
      throw quotaExceeded(`You may have at most ${quota.uploads} unfinished uploads.`);
    }
    if (bytes > quota.bytes) {
      const message = `Your unfinished uploads would have ${bytes} bytes; they may have ${quota.bytes}.`;
      throw quotaExceeded(message, quota.bytes);
    }
  }

  private async insertBy(
    manager: EntityManager,
    { values, lease, expiresInMs }: NewUpload<Entity>,
  ): Promise<Entity | null> {
    const inMs = (ms: number) => () => `now() + ${Number(ms)} * interval '1 millisecond'`;
    const row = {
      ...values,
      leaseToken: lease.token,
      leaseHolder: lease.holder,
      leaseExpiresAt: inMs(lease.ttlMs),
      expiresAt: inMs(expiresInMs),
    } as unknown as QueryDeepPartialEntity<Entity>;
    const insert = manager.createQueryBuilder().insert().into(this.table.entity).values(row);
    const result = await insert.orIgnore().returning('*').updateEntity(false).execute();
    const [inserted] = result.raw as Record<string, unknown>[];
    return inserted ? this.table.mapper.toEntity(inserted) : null;
  }

  /** Sets what a creating request told only after its bytes. */
  async describe(id: string, token: string, values: Partial<Entity>): Promise<void> {
    try {
      const update = this.table.dataSource.createQueryBuilder().update(this.table.entity);
      const described = update
        .set(values as QueryDeepPartialEntity<Entity>)
        .where('id = :id AND lease_token = :token', { id, token });
      await answered(described.updateEntity(false).execute());
    } catch (error) {
      throw databaseFailure(error);
    }
  }

  /** Says what an upload belongs to; null when there is no such upload any more. */
  attach(id: string, owner: { type: string; id: string } | null): Promise<Entity | null> {
    return this.table.first(
      `UPDATE ${this.table.name} SET owner_type = $2, owner_id = $3, updated_at = now()
       WHERE id = $1 AND status <> 'deleting' RETURNING *`,
      [id, owner?.type ?? null, owner?.id ?? null],
    );
  }

  sight(id: string, scope: UploadScope): Promise<Sighting<Entity> | null> {
    return this.sightWhere(`id = $1 AND ${this.table.inScope(2, scope)}`, [
      id,
      scope.userId,
      scope.restricted,
    ]);
  }

  sightByIdempotencyKey(key: string): Promise<Sighting<Entity> | null> {
    return this.sightWhere('idempotency_key = $1', [key]);
  }

  private async sightWhere(condition: string, parameters: unknown[]): Promise<Sighting<Entity> | null> {
    const [row] = await this.table.preparedRows(
      `SELECT ${this.table.columns}, ${SIGHT} FROM ${this.table.name} WHERE ${condition}`,
      parameters,
    );
    if (!row) return null;
    return {
      upload: this.table.mapper.toEntity(row),
      isExpired: row.is_expired === true,
      leaseSeconds: row.lease_seconds as number | null,
    };
  }

  /** What the caller may see and still use: neither deleted nor expired. */
  list(scope: UploadScope, { limit, status, ownerType, ownerId, after }: ListFilter): Promise<Entity[]> {
    return this.table.entities(
      `SELECT * FROM ${this.table.name}
       WHERE ${this.table.inScope(1, scope)} AND status <> 'deleting' AND (status NOT IN ('uploading', 'completing') OR expires_at > now())
         AND ($3::text IS NULL OR status = $3) AND ($4::text IS NULL OR owner_type = $4)
         AND ($5::text IS NULL OR owner_id = $5)
         AND ($6::timestamptz IS NULL OR (created_at, id) < ($6, $7::uuid))
       ORDER BY created_at DESC, id DESC LIMIT $8`,
      [scope.userId, scope.restricted, status, ownerType, ownerId, after?.createdAt, after?.id, limit],
    );
  }
}

function quotaExceeded(said: string, limitBytes?: number): UploadError {
  const message = `${said} Finish or cancel one first.`;
  return new UploadError('quota_exceeded', message, limitBytes === undefined ? {} : { limitBytes });
}
