import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { ReferenceServer } from './reference-server.js';

/** A row as far as these suites look at it. */
export interface SiteRow {
  readonly id: string;
  readonly status: string;
  readonly offset: number;
  readonly generation: number;
  readonly lease_token: string | null;
}

/** A folder and a database for reference servers, and a look at both from outside. */
export class ReferenceSite {
  private readonly servers: ReferenceServer[] = [];

  private constructor(
    readonly folder: string,
    readonly databaseUrl: string,
    private readonly database: pg.Client,
  ) {}

  /** An empty database on the test server: the reference server makes its tables itself. */
  static async open(): Promise<ReferenceSite> {
    const name = `site_${randomUUID().replaceAll('-', '')}`;
    await administer(`CREATE DATABASE ${name}`);
    const url = new URL(adminUrl());
    url.pathname = `/${name}`;
    const database = new pg.Client({ connectionString: url.href });
    await database.connect();
    return new ReferenceSite(await mkdtemp(join(tmpdir(), 'reference-')), url.href, database);
  }

  /** Starts a server here; {@link close} ends it if nobody did. */
  async start(variables: Readonly<Record<string, string>> = {}): Promise<ReferenceServer> {
    const { databaseUrl, folder } = this;
    const server = await ReferenceServer.start({ databaseUrl, folder, variables });
    this.servers.push(server);
    return server;
  }

  async rows(): Promise<SiteRow[]> {
    const sql = 'SELECT id, status, "offset"::int, generation, lease_token FROM chunked_upload';
    return (await this.database.query<SiteRow>(sql)).rows;
  }

  /** The row of the upload at `path`. */
  async row(path: string): Promise<SiteRow | undefined> {
    return (await this.rows()).find(({ id }) => path.endsWith(id));
  }

  async close(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.kill()));
    await this.database.end();
    await administer(`DROP DATABASE ${new URL(this.databaseUrl).pathname.slice(1)} WITH (FORCE)`);
    await rm(this.folder, { recursive: true, force: true });
  }
}

function adminUrl(): string {
  const url = process.env.TEST_DATABASE_URL;
  if (!url) throw new Error('TEST_DATABASE_URL is not set: run the tests with `npm test`.');
  return url;
}

async function administer(sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: adminUrl() });
  await client.connect();
  await client.query(sql).finally(() => client.end());
}
