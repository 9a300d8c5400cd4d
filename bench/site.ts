import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { startPostgres } from '../src/server/postgres/start-postgres.js';
import type { Site } from './contenders.js';

/** A folder (in `TMPDIR`) and a PostgreSQL as a user would have them, gone afterwards; the one of `DATABASE_URL` if there is. */
export async function withSite<Result>(use: (site: Site) => Promise<Result>): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), 'chunked-upload-bench-'));
  // As root, PostgreSQL runs as another user, who has to pass.
  await chmod(folder, 0o755);
  const given = process.env.DATABASE_URL;
  const postgres = given
    ? null
    : await startPostgres({ directory: join(folder, 'postgres'), log: () => undefined });
  try {
    return await use({
      folder,
      createDatabase: (name) => createDatabase(given ?? postgres?.url ?? '', name),
    });
  } finally {
    await postgres?.stop({ cut: true });
    await rm(folder, { recursive: true, force: true });
  }
}

async function createDatabase(serverUrl: string, name: string): Promise<string> {
  const client = new pg.Client({ connectionString: serverUrl });
  await client.connect();
  await client.query(`DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`);
  await client.query(`CREATE DATABASE "${name}"`);
  await client.end();
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return url.href;
}
