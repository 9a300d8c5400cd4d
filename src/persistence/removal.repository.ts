import type { AbstractChunkedUpload } from './abstract-chunked-upload.entity.js';
import { LEASE_IS_FREE, NO_LEASE } from './upload-table.js';
import type { UploadScope, UploadTable } from './upload-table.js';

/** Which unfinished uploads a cleanup takes. */
export interface RemovalFilter {
  /** All unfinished ones, whatever their age. */
  readonly unfinished: boolean;
  /** Those without activity since; instead of those that expired. */
  readonly olderThan: Date | null;
}

/** A deletion that failed is tried again after this long: another run may be at it. */
const RETRY_AFTER = `interval '1 minute'`;

/** What a cleanup takes, but for uploads whose domain object is gone. Parameters: unfinished, older than. */
export const IS_DUE = `storage_key IS NOT NULL AND (
    (status IN ('uploading', 'completing', 'failed') AND ${LEASE_IS_FREE} AND
      CASE WHEN $1::boolean THEN true WHEN $2::timestamptz IS NOT NULL THEN updated_at < $2 ELSE expires_at <= now() END)
    OR (status = 'deleting' AND updated_at < now() - ${RETRY_AFTER}))`;

/** A table of domain objects whose uploads go when they go. */
export interface OwnerTable {
  /** The `owner_type` that names it. */
  readonly ownerType: string;
  /** Quoted. */
  readonly table: string;
  /** Its key, quoted. */
  readonly key: string;
}

/** The way out: row to `deleting` first, then the bytes, then the row, so that a crash leaves something to go on from. */
export class RemovalRepository<Entity extends AbstractChunkedUpload> {
  constructor(
    private readonly table: UploadTable<Entity>,
    private readonly ownerTables: readonly OwnerTable[],
  ) {}

  /**
   * Takes an upload in any state for deletion; whoever was writing it has lost its lease.
   * @param waits whether for a row that is locked; a completing transaction may take as long as the app's hook.
   */
  claim(id: string, scope: UploadScope, waits = true): Promise<Entity | null> {
    return this.table.first(
      `UPDATE ${this.table.name} SET status = 'deleting', updated_at = now(), ${NO_LEASE}
       WHERE id = ${waits ? '$1' : this.table.unlocked(1)} AND ${this.table.inScope(2, scope)} AND storage_key IS NOT NULL RETURNING *`,
      [id, scope.userId, scope.restricted],
    );
  }

  /** Takes an upload that its creator, who holds `token`, gives up. */
  claimOwn(id: string, token: string): Promise<Entity | null> {
    return this.table.first(
      `UPDATE ${this.table.name} SET status = 'deleting', updated_at = now(), ${NO_LEASE}
       WHERE id = $1 AND lease_token = $2 RETURNING *`,
      [id, token],
    );
  }

  /**
   * Takes what stands in the way of a repeated creation: an attempt that stored nothing, or an upload that has expired.
   * What became an upload since it was looked at is left alone.
   */
  claimStale(id: string): Promise<Entity | null> {
    return this.table.first(
      `UPDATE ${this.table.name} SET status = 'deleting', updated_at = now(), ${NO_LEASE}
       WHERE id = $1 AND storage_key IS NOT NULL AND ${LEASE_IS_FREE}
         AND (storage_state IS NULL OR status = 'deleting' OR (status <> 'complete' AND expires_at <= now()))
       RETURNING *`,
      [id],
    );
  }

  /** Takes an unfinished upload that nobody is working on. */
  claimIdle(id: string): Promise<Entity | null> {
    return this.table.first(
      `UPDATE ${this.table.name} SET status = 'deleting', updated_at = now()
       WHERE id = $1 AND status IN ('uploading', 'failed') AND lease_token IS NULL RETURNING *`,
      [id],
    );
  }

  /** Takes the next batch that is due; rows another cleanup has are passed over, live leases never touched. */
  async claimDue(filter: RemovalFilter, limit: number): Promise<Entity[]> {
    const due = await this.claimWhere(IS_DUE, filter, limit);
    // Two statements, since an index serves each alone.
    return due.length > 0 || this.ownerTables.length === 0
      ? due
      : this.claimWhere(this.hasLostOwner, filter, limit);
  }

  /** The batch is chosen by a query that runs once: a subquery may run for each row, and choose others each time. */
  private claimWhere(condition: string, filter: RemovalFilter, limit: number): Promise<Entity[]> {
    return this.table.entities(
      `WITH due AS MATERIALIZED (SELECT id FROM ${this.table.name} WHERE ${condition}
                                 ORDER BY expires_at LIMIT $3 FOR UPDATE SKIP LOCKED)
       UPDATE ${this.table.name} SET status = 'deleting', updated_at = now(), ${NO_LEASE}
       WHERE id IN (SELECT id FROM due) RETURNING *`,
      [filter.unfinished, filter.olderThan, limit, ...this.typesFor(condition)],
    );
  }

  /** What {@link claimDue} would take, and how many bytes that is. */
  async countDue(filter: RemovalFilter, limit: number): Promise<{ rows: number; bytes: number }> {
    const conditions = this.ownerTables.length > 0 ? [IS_DUE, this.hasLostOwner] : [IS_DUE];
    const count = { rows: 0, bytes: 0 };
    for (const condition of conditions) {
      const [row] = await this.table.rows(
        `SELECT count(*)::int AS rows, COALESCE(sum("offset"), 0)::text AS bytes
         FROM (SELECT "offset" FROM ${this.table.name} WHERE ${condition} LIMIT $3) due`,
        [filter.unfinished, filter.olderThan, limit - count.rows, ...this.typesFor(condition)],
      );
      count.rows += Number(row?.rows);
      count.bytes += Number(row?.bytes);
    }
    return count;
  }

  /**
   * An upload, complete or not, of a domain object that is no more; not counted twice when it is due as well. Its columns are
   * named in full where the owner's table, which may have an `owner_id` too, is in sight.
   */
  private get hasLostOwner(): string {
    const isLost = this.ownerTables.map(
      ({ table, key }, index) =>
        `(owner_type = $${index + 4} AND NOT EXISTS (SELECT 1 FROM ${table} owner WHERE owner.${key}::text = ${this.table.name}.owner_id))`,
    );
    return `storage_key IS NOT NULL AND status <> 'deleting' AND NOT (${IS_DUE}) AND (${isLost.join(' OR ')})`;
  }

  private typesFor(condition: string): string[] {
    return condition === IS_DUE ? [] : this.ownerTables.map(({ ownerType }) => ownerType);
  }

  /** Those of these uploads whose rows say that they have bytes. */
  withBytes(ids: readonly string[]): Promise<Entity[]> {
    return this.table.entities(
      `SELECT * FROM ${this.table.name} WHERE id = ANY($1::uuid[]) AND storage_key IS NOT NULL`,
      [ids],
    );
  }

  /** Uploads that should have bytes and that nobody has touched since, by id, behind `after`. */
  resting(before: Date, after: string, limit: number): Promise<Entity[]> {
    return this.table.entities(
      `SELECT * FROM ${this.table.name}
       WHERE id > $1::uuid AND updated_at < $2 AND storage_key IS NOT NULL AND storage_state IS NOT NULL
         AND status IN ('uploading', 'complete') AND ${LEASE_IS_FREE}
       ORDER BY id LIMIT $3`,
      [after, before, limit],
    );
  }

  /** Says that the storage lost the bytes of an unfinished upload. False: somebody went on with it since `before`. */
  async markFailed(id: string, before: Date): Promise<boolean> {
    const rows = await this.table.rows(
      `UPDATE ${this.table.name} SET status = 'failed', updated_at = now(), ${NO_LEASE}
       WHERE id = $1 AND status = 'uploading' AND updated_at < $2 AND ${LEASE_IS_FREE} RETURNING id`,
      [id, before],
    );
    return rows.length > 0;
  }

  /** Deletes the row of an upload whose bytes are gone. */
  async remove(id: string): Promise<void> {
    await this.table.rows(
      `DELETE FROM ${this.table.name} WHERE id = $1 AND status = 'deleting' RETURNING id`,
      [id],
    );
  }

  /** Keeps the row of an upload whose bytes are gone as a tombstone, so that its id answers 410. */
  async keepRecord(id: string): Promise<void> {
    await this.table.rows(
      `UPDATE ${this.table.name} SET storage_key = NULL, storage_state = NULL, digest_state = NULL,
         idempotency_key = NULL
       WHERE id = $1 AND status = 'deleting' RETURNING id`,
      [id],
    );
  }
}
