import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataSource } from 'typeorm';
import { ChunkedUpload, chunkedUploadMigrations } from '../../../src/index.js';
import { until } from '../../engine/support/client.js';
import { filesUnder } from '../../support/test-app.js';

/** A row as far as these suites look at it. */
export interface Row {
  readonly id: string;
  readonly status: string;
  readonly offset: string;
  readonly generation: number;
  readonly lease_token: string | null;
}

/** The folder and the database that servers share, looked at from outside. */
export class CrashSite {
  private constructor(
    readonly databaseUrl: string,
    readonly root: string,
    private readonly dataSource: DataSource,
  ) {}

  static async open(databaseUrl: string): Promise<CrashSite> {
    const root = await mkdtemp(join(tmpdir(), 'crash-site-'));
    const dataSource = new DataSource({
      type: 'postgres',
      url: databaseUrl,
      entities: [ChunkedUpload],
      migrations: chunkedUploadMigrations,
      poolSize: 2,
    });
    await dataSource.initialize();
    await dataSource.runMigrations();
    // Without a unique constraint: an effect that happened twice has to show.
    await dataSource.query('CREATE TABLE effect (upload_id uuid NOT NULL)');
    return new CrashSite(databaseUrl, root, dataSource);
  }

  async query<Result>(sql: string, parameters: unknown[] = []): Promise<Result[]> {
    const result: unknown = await this.dataSource.query(sql, parameters);
    return result as Result[];
  }

  rows(): Promise<Row[]> {
    return this.query<Row>('SELECT * FROM chunked_upload');
  }

  async row(id: string): Promise<Row | undefined> {
    return (await this.query<Row>('SELECT * FROM chunked_upload WHERE id = $1', [id]))[0];
  }

  /** How often the completion hook's row was written, by upload. */
  async effects(): Promise<Map<string, number>> {
    const rows = await this.query<{ id: string; count: number }>(
      'SELECT upload_id AS id, count(*)::int AS count FROM effect GROUP BY upload_id',
    );
    return new Map(rows.map(({ id, count }) => [id, count]));
  }

  /** Files of all uploads, or of one. */
  async files(id = ''): Promise<string[]> {
    return (await filesUnder(this.root)).filter((name) => name.includes(id));
  }

  async bytesOf(file: string): Promise<Buffer> {
    return readFile(join(this.root, file));
  }

  /** Lets the time pass that leases, and deletions under way, keep others out. */
  async letLeasesRunOut(): Promise<void> {
    await this.query(`UPDATE chunked_upload SET lease_expires_at = LEAST(lease_expires_at, now()),
      updated_at = CASE WHEN status = 'deleting' THEN now() - interval '1 hour' ELSE updated_at END`);
  }

  /** After the database was away. */
  async reconnect(): Promise<void> {
    await until(() => this.query('SELECT 1').then(Boolean, () => false));
  }

  async close(): Promise<void> {
    await this.dataSource.destroy();
    await rm(this.root, { recursive: true, force: true });
  }
}

/** The id in a file's name, such as `2026/11/21/<id>.1.part`. */
export function idIn(file: string): string {
  return /([0-9a-f-]{36})[^/]*$/.exec(file)?.[1] ?? '';
}
