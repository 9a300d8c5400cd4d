import type { DataSource } from 'typeorm';
import type { AbstractChunkedUpload } from './abstract-chunked-upload.entity.js';
import { answered } from './database-deadline.js';
import { databaseFailure } from './database-failure.js';
import { PreparedStatements } from './prepared-statements.js';
import { type Row, RowMapper } from './row-mapper.js';

/** Whose uploads a statement may touch. Every statement on behalf of a caller carries it. */
export interface UploadScope {
  /** The caller; null for an anonymous one. */
  readonly userId: string | null;
  /** Whether others' uploads do not exist for the caller. */
  readonly restricted: boolean;
}

/** Lease columns of nobody. */
export const NO_LEASE = 'lease_token = NULL, lease_expires_at = NULL, lease_holder = NULL';

/** True while nobody may be writing, by the database's clock. */
export const LEASE_IS_FREE = '(lease_token IS NULL OR lease_expires_at <= now())';

/** The same for a claim, where parameter `$n` says whether a lease that ran out may be taken. */
export function leaseIsClaimable(n: number): string {
  return `(lease_token IS NULL OR ($${n}::boolean AND lease_expires_at <= now()))`;
}

/**
 * A lease that ran out, instead of being released, may have a holder that is only paused: whatever it still
 * writes must go where nobody reads.
 */
export const NEXT_GENERATION = 'generation = generation + (lease_token IS NOT NULL)::int';

/**
 * One entity's table, by hand-written statements: compare-and-set updates say in one round trip what an ORM says in
 * three. Failures of the connection come out as `database_unavailable`.
 */
export class UploadTable<Entity extends AbstractChunkedUpload> {
  readonly mapper: RowMapper<Entity>;
  readonly name: string;
  /** The column of the user: an app's entity may name and type it. */
  readonly user: { readonly column: string; readonly type: string };
  /** All columns by name, for prepared statements: what `*` means changes with every column that is added. */
  readonly columns: string;
  private readonly prepared: PreparedStatements;

  constructor(
    readonly dataSource: DataSource,
    readonly entity: new () => Entity,
  ) {
    this.mapper = new RowMapper(dataSource, entity);
    this.name = this.mapper.table;
    this.user = this.mapper.column('userId');
    this.columns = this.mapper.columns;
    this.prepared = new PreparedStatements(dataSource);
  }

  /**
   * The id in parameter `$n`, unless its row is locked: a claim that waits for a completing transaction would hold a
   * connection for as long as the app's hook takes.
   */
  unlocked(n: number): string {
    return `(SELECT id FROM ${this.name} WHERE id = $${n} FOR NO KEY UPDATE SKIP LOCKED)`;
  }

  /**
   * Whether a row is in a caller's scope, as a condition on the parameters `$n` (the user) and `$n+1` (restricted or not).
   * Written for the caller at hand, so that an index over users is of use.
   */
  inScope(n: number, { userId, restricted }: UploadScope): string {
    const { column, type } = this.user;
    const [user, isRestricted] = [`$${n}::${type}`, `$${n + 1}::boolean`];
    if (!restricted) return `(NOT ${isRestricted} OR ${column} = ${user})`;
    return userId === null
      ? `(${column} IS NULL AND ${user} IS NULL AND ${isRestricted})`
      : `(${column} = ${user} AND ${isRestricted})`;
  }

  /** Runs one statement on a connection of the pool, which is back in the pool when the promise settles. */
  async rows(sql: string, parameters: readonly unknown[]): Promise<Row[]> {
    try {
      const result: unknown = await answered(this.dataSource.query(sql, [...parameters]));
      // TypeORM answers UPDATE and DELETE with [rows, count], everything else with the rows.
      const [first] = result as [unknown, unknown];
      return Array.isArray(first) ? (first as Row[]) : (result as Row[]);
    } catch (error) {
      throw databaseFailure(error);
    }
  }

  /** The same for a statement that every chunk needs: prepared, once a connection. */
  async preparedRows(sql: string, parameters: readonly unknown[]): Promise<Row[]> {
    try {
      return await answered(this.prepared.rows(sql, [...parameters]));
    } catch (error) {
      throw databaseFailure(error);
    }
  }

  async preparedFirst(sql: string, parameters: readonly unknown[]): Promise<Entity | null> {
    const [row] = await this.preparedRows(sql, parameters);
    return row ? this.mapper.toEntity(row) : null;
  }

  async entities(sql: string, parameters: readonly unknown[]): Promise<Entity[]> {
    return (await this.rows(sql, parameters)).map((row) => this.mapper.toEntity(row));
  }

  async first(sql: string, parameters: readonly unknown[]): Promise<Entity | null> {
    return (await this.entities(sql, parameters))[0] ?? null;
  }
}
