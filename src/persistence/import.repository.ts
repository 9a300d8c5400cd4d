import type { QueryDeepPartialEntity } from 'typeorm';
import type { AbstractChunkedUpload } from './abstract-chunked-upload.entity.js';
import { answered } from './database-deadline.js';
import { databaseFailure } from './database-failure.js';
import type { UploadTable } from './upload-table.js';

/** Rows of uploads that were received elsewhere. */
export class ImportRepository<Entity extends AbstractChunkedUpload> {
  constructor(private readonly table: UploadTable<Entity>) {}

  /** Which of these ids have a row, whatever its state: a tombstone too says that an upload was here. */
  async known(ids: readonly string[]): Promise<ReadonlySet<string>> {
    const rows = await this.table.rows(`SELECT id FROM ${this.table.name} WHERE id = ANY($1::uuid[])`, [ids]);
    return new Set(rows.map(({ id }) => id as string));
  }

  /**
   * Inserts a row that nobody is writing, and that expires in `expiresInMs` while it is unfinished.
   * @throws UploadError `database_unavailable`; whether the row is there is then not known.
   */
  async insert(values: Partial<Entity>, expiresInMs: number): Promise<void> {
    const row = {
      ...values,
      expiresAt: () => `now() + ${Number(expiresInMs)} * interval '1 millisecond'`,
    } as unknown as QueryDeepPartialEntity<Entity>;
    const insert = this.table.dataSource.createQueryBuilder().insert().into(this.table.entity).values(row);
    try {
      await answered(insert.updateEntity(false).execute());
    } catch (error) {
      throw databaseFailure(error);
    }
  }
}
