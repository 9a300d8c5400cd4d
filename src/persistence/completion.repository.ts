import { type EntityManager, QueryFailedError } from 'typeorm';
import type { AbstractChunkedUpload } from './abstract-chunked-upload.entity.js';
import { databaseFailure } from './database-failure.js';
import type { Lease } from './lease.repository.js';
import type { Row } from './row-mapper.js';
import { leaseIsClaimable, NEXT_GENERATION, NO_LEASE } from './upload-table.js';
import type { UploadScope, UploadTable } from './upload-table.js';

/** What makes an upload complete. */
export interface CompletedRow {
  readonly checksums: Readonly<Record<string, string>>;
  readonly storageState: Readonly<Record<string, unknown>>;
}

/** The way from `uploading` over `completing` to `complete`. */
export class CompletionRepository<Entity extends AbstractChunkedUpload> {
  constructor(private readonly table: UploadTable<Entity>) {}

  /** Takes a fully received upload for completion; one left `completing` by a crash too, once its lease is over. */
  claim(id: string, scope: UploadScope, lease: Lease): Promise<Entity | null> {
    return this.table.preparedFirst(
      `UPDATE ${this.table.name} SET status = 'completing', lease_token = $1, lease_holder = $2,
         lease_expires_at = now() + $3::float8 * interval '1 millisecond', ${NEXT_GENERATION}, updated_at = now()
       WHERE id = ${this.table.unlocked(4)} AND ${this.table.inScope(5, scope)} AND status IN ('uploading', 'completing')
         AND (size IS NULL OR "offset" = size) AND expires_at > now() AND ${leaseIsClaimable(7)}
       RETURNING ${this.table.columns}`,
      [lease.token, lease.holder, lease.ttlMs, id, scope.userId, scope.restricted, lease.takesOver],
    );
  }

  /**
   * Puts a refused completion back. False: the lease was lost.
   * @param sealed the bytes have their final name, so the size is final too.
   */
  async revert(id: string, token: string, sealed: boolean): Promise<boolean> {
    const rows = await this.table.rows(
      `UPDATE ${this.table.name} SET status = 'uploading', size = CASE WHEN $3::boolean THEN "offset" ELSE size END,
         ${NO_LEASE}
       WHERE id = $1 AND lease_token = $2 AND status = 'completing' RETURNING id`,
      [id, token, sealed],
    );
    return rows.length > 0;
  }

  /** Makes the upload complete. Null: the lease was lost. */
  complete(upload: Entity, row: CompletedRow): Promise<Entity | null> {
    return this.table.preparedFirst(this.completeStatement, completeParameters(upload, row));
  }

  /**
   * The same, and runs `effect` in the same transaction, so that the app's own rows and the upload become visible together
   * or not at all.
   */
  async completeWith(
    upload: Entity,
    row: CompletedRow,
    effect: (upload: Entity, manager: EntityManager) => Promise<unknown>,
  ): Promise<Entity | null> {
    const failure: { ofEffect?: unknown } = {};
    try {
      return await this.table.dataSource.transaction(async (manager) => {
        const [rows] = await manager.query<[Row[], number]>(
          this.completeStatement,
          completeParameters(upload, row),
        );
        const completed = rows[0] && this.table.mapper.toEntity(rows[0]);
        if (!completed) return null;
        const result = await effect(completed, manager).catch((error: unknown) => {
          failure.ofEffect = error;
          throw error;
        });
        if (result !== undefined) await this.remember(manager, upload.id, result);
        completed.completionResult = result ?? null;
        return completed;
      });
    } catch (error) {
      // What the app's hook throws is its own, whatever it looks like; unless a statement of this transaction failed.
      const isOwn = error === failure.ofEffect && !(error instanceof QueryFailedError);
      throw isOwn ? error : databaseFailure(error);
    }
  }

  private get completeStatement(): string {
    return `UPDATE ${this.table.name} SET status = 'complete', size = "offset", completed_at = now(), updated_at = now(),
         checksums = $3::jsonb, storage_state = $4::jsonb, digest_state = NULL, ${NO_LEASE}
       WHERE id = $1 AND lease_token = $2 AND status = 'completing' RETURNING ${this.table.columns}`;
  }

  private async remember(manager: EntityManager, id: string, result: unknown): Promise<void> {
    await manager.query(`UPDATE ${this.table.name} SET completion_result = $2::json WHERE id = $1`, [
      id,
      JSON.stringify(result),
    ]);
  }
}

/** Parameters of the statement that makes an upload complete. */
function completeParameters(
  { id, leaseToken }: AbstractChunkedUpload,
  { checksums, storageState }: CompletedRow,
): unknown[] {
  return [id, leaseToken, JSON.stringify(checksums), JSON.stringify(storageState)];
}
