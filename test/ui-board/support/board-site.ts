import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataSource } from 'typeorm';
import { Program } from '../../faults/support/program.js';
import { UploadClient } from '../../support/http.js';
import type { CompiledSources } from '../../support/compiled-sources.js';
import { createDatabase, type TestDatabase } from '../../support/test-app.js';

/** Who may look at the board. */
export const ADMIN = { username: 'root', password: 'secret' };
const AUTHORIZATION = `Basic ${Buffer.from(`${ADMIN.username}:${ADMIN.password}`).toString('base64')}`;

interface Parts {
  readonly program: Program;
  readonly database: TestDatabase;
  readonly folder: string;
}

/** The compiled reference server with a board, as a process, and its database. */
export class BoardSite {
  private constructor(
    private readonly parts: Parts,
    readonly dataSource: DataSource,
    readonly origin: string,
  ) {}

  /** @param variables Further settings, by name. */
  static async start(
    sources: CompiledSources,
    variables: Readonly<Record<string, string>> = {},
  ): Promise<BoardSite> {
    const database = await createDatabase();
    const folder = await mkdtemp(join(tmpdir(), 'board-'));
    const dataSource = await new DataSource({ type: 'postgres', url: database.url }).initialize();
    // The reference server makes its tables itself.
    await dataSource.query('DROP TABLE chunked_upload');
    const program = new Program(sources.path('src/server/main.ts'), {
      PORT: '0',
      HOST: '127.0.0.1',
      DATABASE_URL: database.url,
      DATA_DIR: folder,
      CHUNKED_UPLOAD_ADMINS: `${ADMIN.username}:${ADMIN.password}`,
      CHUNKED_UPLOAD_CLEANUP_CRON: '0 3 * * *',
      ...variables,
    });
    const printed = await program.until(/Listening on \S+/);
    const origin = printed.replace('Listening on ', '').replace('localhost', '127.0.0.1');
    return new BoardSite({ program, database, folder }, dataSource, origin);
  }

  get board(): string {
    return `${this.origin}/admin/uploads`;
  }

  /** Somebody who uploads. */
  get uploads(): UploadClient {
    return new UploadClient(`${this.origin}/upload`);
  }

  /** Somebody who asks the API what the page asks. */
  get api(): UploadClient {
    return new UploadClient(this.board, { Authorization: AUTHORIZATION });
  }

  async clear(): Promise<void> {
    await this.dataSource.query('DELETE FROM chunked_upload');
  }

  /** Changes rows behind the server's back; `set` is SQL. */
  async change(id: string, set: string): Promise<void> {
    await this.dataSource.query(`UPDATE chunked_upload SET ${set} WHERE id = $1`, [id]);
  }

  /** Rows without bytes, one second apart, the newest now; every tenth is unfinished and every twentieth has expired. */
  async fill(count: number): Promise<void> {
    await this.dataSource.query(
      `INSERT INTO chunked_upload
         (id, filename, content_type, size, "offset", status, user_id, storage_key, created_at, updated_at, completed_at, expires_at)
       SELECT gen_random_uuid(), 'file-' || n || '.bin', 'application/octet-stream', 1000000,
         CASE WHEN n % 10 = 0 THEN 400000 ELSE 1000000 END, CASE WHEN n % 10 = 0 THEN 'uploading' ELSE 'complete' END,
         'user-' || n % 97, '2026/11/21/' || n, at, at, CASE WHEN n % 10 = 0 THEN NULL ELSE at END,
         CASE WHEN n % 20 = 0 THEN now() - interval '1 hour' ELSE now() + interval '1 day' END
       FROM generate_series(0, $1 - 1) AS n, LATERAL (SELECT now() - n * interval '1 second' AS at) AS times`,
      [count],
    );
    await this.dataSource.query('VACUUM ANALYZE chunked_upload');
  }

  /** SIGTERM; resolves with how long the server took to end, in milliseconds. */
  async terminate(): Promise<number> {
    const began = Date.now();
    this.parts.program.signal('SIGTERM');
    await this.parts.program.end();
    return Date.now() - began;
  }

  async close(): Promise<void> {
    await this.terminate();
    await this.dataSource.destroy();
    await this.parts.database.drop();
    await rm(this.parts.folder, { recursive: true, force: true });
  }
}
