import type { AbstractChunkedUpload, UploadStatus } from './abstract-chunked-upload.entity.js';
import { IS_DUE, type RemovalFilter } from './removal.repository.js';
import { NO_LEASE, type UploadTable } from './upload-table.js';

/** What an operator looks for; everything that is given must hold. */
export interface InspectionFilter {
  readonly limit: number;
  readonly status?: UploadStatus;
  readonly userId?: string;
  readonly owner?: { readonly type: string; readonly id: string };
}

/** Where a walk over what is due goes on. */
export interface DuePlace {
  readonly expiresAt: Date;
  readonly id: string;
}

/** Uploads as an operator sees them: everybody's, in every state, expired ones and tombstones included. */
export class InspectionRepository<Entity extends AbstractChunkedUpload> {
  constructor(private readonly table: UploadTable<Entity>) {}

  /** Newest first. */
  list({ limit, status, userId, owner }: InspectionFilter): Promise<Entity[]> {
    const { column, type } = this.table.user;
    return this.table.entities(
      `SELECT * FROM ${this.table.name}
       WHERE ($1::text IS NULL OR status = $1) AND ($2::${type} IS NULL OR ${column} = $2)
         AND ($3::text IS NULL OR (owner_type = $3 AND owner_id = $4::text))
       ORDER BY created_at DESC, id DESC LIMIT $5`,
      [status, userId, owner?.type, owner?.id, limit],
    );
  }

  /** What there is of a domain object, in any state but deleted. */
  async idsOfOwner(owner: { readonly type: string; readonly id: string }, limit: number): Promise<string[]> {
    const uploads = await this.table.entities(
      `SELECT * FROM ${this.table.name} WHERE owner_type = $1 AND owner_id = $2 AND status <> 'deleting' LIMIT $3`,
      [owner.type, owner.id, limit],
    );
    return uploads.map(({ id }) => id);
  }

  /** Complete uploads by id, behind `after`. */
  complete(after: string, limit: number): Promise<Entity[]> {
    return this.table.entities(
      `SELECT * FROM ${this.table.name} WHERE id > $1::uuid AND status = 'complete' AND storage_key IS NOT NULL
       ORDER BY id LIMIT $2`,
      [after, limit],
    );
  }

  /** What a cleanup would take, the longest expired first, behind `after`. */
  due(filter: RemovalFilter, after: DuePlace | null, limit: number): Promise<Entity[]> {
    return this.table.entities(
      `SELECT * FROM ${this.table.name}
       WHERE ${IS_DUE} AND ($3::timestamptz IS NULL OR (expires_at, id) > ($3, $4::uuid))
       ORDER BY expires_at, id LIMIT $5`,
      [filter.unfinished, filter.olderThan, after?.expiresAt, after?.id, limit],
    );
  }

  /** Takes an upload for deletion if it still is due. */
  takeDue(filter: RemovalFilter, id: string): Promise<Entity | null> {
    return this.table.first(
      `UPDATE ${this.table.name} SET status = 'deleting', updated_at = now(), ${NO_LEASE}
       WHERE id IN (SELECT id FROM ${this.table.name} WHERE id = $3::uuid AND ${IS_DUE} FOR UPDATE SKIP LOCKED)
       RETURNING *`,
      [filter.unfinished, filter.olderThan, id],
    );
  }
}
