import type { DataSource, EntityMetadata } from 'typeorm';
import type { AbstractChunkedUpload } from './abstract-chunked-upload.entity.js';

/** A row as the driver returns it, by database column name. */
export type Row = Record<string, unknown>;

/** Turns rows of hand-written SQL into entities, the columns of the app's subclass included. */
export class RowMapper<Entity extends AbstractChunkedUpload> {
  private readonly metadata: EntityMetadata;

  constructor(
    private readonly dataSource: DataSource,
    entity: new () => Entity,
  ) {
    this.metadata = dataSource.getMetadata(entity);
  }

  /** The quoted table, with its schema where it has one. */
  get table(): string {
    const quote = (name: string) => `"${name.replaceAll('"', '""')}"`;
    return this.metadata.tablePath.split('.').map(quote).join('.');
  }

  toEntity(row: Row): Entity {
    const entity = this.metadata.create() as Entity;
    for (const column of this.metadata.columns) {
      const value: unknown = this.dataSource.driver.prepareHydratedValue(row[column.databaseName], column);
      column.setEntityValue(entity, value);
    }
    return entity;
  }
}
