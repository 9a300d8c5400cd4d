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
    return quotePath(this.metadata.tablePath);
  }

  /** The quoted names of all columns, as a list for a statement. */
  get columns(): string {
    const stored = this.metadata.columns.filter(({ isVirtualProperty }) => !isVirtualProperty);
    return stored.map(({ databaseName }) => quote(databaseName)).join(', ');
  }

  /** The properties that a row cannot be inserted without. */
  get required(): string[] {
    const needed = this.metadata.columns.filter(
      (column) =>
        !(column.isNullable || column.default !== undefined || column.isVirtualProperty) &&
        // What TypeORM or PostgreSQL fill in.
        !(column.isGenerated || column.generatedType || column.isVersion || column.isDiscriminator),
    );
    return needed.map(({ propertyName }) => propertyName);
  }

  /** Name, quoted, and type of a property's column. */
  column(property: keyof AbstractChunkedUpload): { column: string; type: string } {
    const found = this.metadata.findColumnWithPropertyName(property);
    if (!found) throw new Error(`${this.metadata.name} has no column ${property}.`);
    return { column: quote(found.databaseName), type: this.dataSource.driver.normalizeType(found) };
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

/** A table's name for a statement, with its schema where it has one. */
export function quotePath(path: string): string {
  return path.split('.').map(quote).join('.');
}

/** A name for a statement. */
export function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
