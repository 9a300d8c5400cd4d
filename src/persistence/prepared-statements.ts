import { createHash } from 'node:crypto';
import type { DataSource } from 'typeorm';
import type { Row } from './row-mapper.js';

/** What is used of a connection of `pg`. */
interface Connection {
  query(statement: { name?: string; text: string; values: unknown[] }): Promise<{ rows: Row[] }>;
}

/**
 * SQLSTATEs of statements that were not run, because they were prepared: the type of a column changed since (0A000), or a
 * pooler put another session behind the connection, which knows nothing of the name (26000) or has it already (42P05).
 */
const PREPARED_IN_VAIN = new Set(['0A000', '26000', '42P05']);

/**
 * Runs the few statements that every chunk needs. PostgreSQL parses and plans each of them once a connection, which takes
 * longer than to run it; where that cannot be, they are sent as text from then on.
 */
export class PreparedStatements {
  private readonly names = new Map<string, string>();
  private isPreparing = true;

  constructor(private readonly dataSource: DataSource) {}

  /** Runs a statement, of which there must be few: a connection keeps each of them for as long as it lives. */
  async rows(text: string, values: unknown[]): Promise<Row[]> {
    const { logger } = this.dataSource;
    const runner = this.dataSource.createQueryRunner();
    try {
      const connection = (await runner.connect()) as Connection;
      logger.logQuery(text, values, runner);
      return await this.run(connection, text, values);
    } catch (error) {
      logger.logQueryError(error as Error, text, values, runner);
      throw error;
    } finally {
      await runner.release();
    }
  }

  private async run(connection: Connection, text: string, values: unknown[]): Promise<Row[]> {
    if (this.isPreparing) {
      try {
        return (await connection.query({ name: this.nameOf(text), text, values })).rows;
      } catch (error) {
        if (!PREPARED_IN_VAIN.has(String((error as { code?: unknown }).code))) throw error;
        this.isPreparing = false;
      }
    }
    return (await connection.query({ text, values })).rows;
  }

  /** The same for the same text only, in whichever process: they may share sessions behind a pooler. */
  private nameOf(text: string): string {
    let name = this.names.get(text);
    if (!name) {
      name = `chunked_upload_${createHash('sha256').update(text).digest('hex').slice(0, 32)}`;
      this.names.set(text, name);
    }
    return name;
  }
}
