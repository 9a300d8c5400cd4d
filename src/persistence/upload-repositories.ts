import type { DataSource } from 'typeorm';
import type { AbstractChunkedUpload } from './abstract-chunked-upload.entity.js';
import { AdminRepository } from './admin.repository.js';
import { CompletionRepository } from './completion.repository.js';
import { InspectionRepository } from './inspection.repository.js';
import { LeaseRepository } from './lease.repository.js';
import { type OwnerTable, RemovalRepository } from './removal.repository.js';
import { UploadTable } from './upload-table.js';
import { UploadRepository } from './upload.repository.js';

/** Everything that is said to the database about one entity, grouped by what it is about. */
export class UploadRepositories<Entity extends AbstractChunkedUpload> {
  private readonly table: UploadTable<Entity>;
  readonly uploads: UploadRepository<Entity>;
  readonly leases: LeaseRepository<Entity>;
  readonly completions: CompletionRepository<Entity>;
  readonly removals: RemovalRepository<Entity>;
  readonly admin: AdminRepository<Entity>;
  readonly inspection: InspectionRepository<Entity>;
  /** The properties that a row cannot be inserted without. */
  readonly required: readonly string[];

  constructor(
    readonly dataSource: DataSource,
    entity: new () => Entity,
    ownerTables: readonly OwnerTable[] = [],
  ) {
    const table = new UploadTable(dataSource, entity);
    this.table = table;
    this.required = table.mapper.required;
    this.uploads = new UploadRepository(table);
    this.leases = new LeaseRepository(table);
    this.completions = new CompletionRepository(table);
    this.removals = new RemovalRepository(table, ownerTables);
    this.admin = new AdminRepository(table);
    this.inspection = new InspectionRepository(table);
  }

  /** @throws UploadError `database_unavailable`. */
  async check(): Promise<void> {
    await this.table.rows('SELECT 1', []);
  }
}
