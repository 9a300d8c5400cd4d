import pg from 'pg';
import { DataSource } from 'typeorm';
import { chunkedUploadMigrations, uploadApiKeyMigrations } from '../../migrations/index.js';
import { BootError } from './boot-error.js';
import { databaseFailure } from './database-failure.js';

/** Any number that other programs on the same database do not use. */
const MIGRATION_LOCK = 7_340_022;

const CONNECT_TIMEOUT_MS = 10_000;

/**
 * Brings the tables up to date. Of several instances that start at the same moment one does it, and the others wait.
 * @throws BootError when the database cannot be reached or used.
 */
export async function migrateDatabase(databaseUrl: string): Promise<void> {
  const client = new pg.Client({
    connectionString: databaseUrl,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  });
  // Reported by the query that meets it; unhandled, the event would end the process.
  client.on('error', () => undefined);
  try {
    await client.connect();
    await requireVersion(client);
    await client.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    await runMigrations(databaseUrl);
  } catch (error) {
    throw databaseFailure(error, databaseUrl);
  } finally {
    // Ends the session, and the lock with it.
    await client.end().catch(() => undefined);
  }
}

async function runMigrations(url: string): Promise<void> {
  const source = new DataSource({
    type: 'postgres',
    url,
    // The keys' table too, whoever signs in how: the setting may change.
    migrations: [...chunkedUploadMigrations, ...uploadApiKeyMigrations],
    // Of its own: the database may be one that an app with migrations uses too.
    migrationsTableName: 'chunked_upload_migrations',
    installExtensions: false,
  });
  await source.initialize();
  try {
    await source.runMigrations();
  } finally {
    await source.destroy();
  }
}

async function requireVersion(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ number: string; version: string }>(
    `SELECT current_setting('server_version_num') AS number, current_setting('server_version') AS version`,
  );
  const [server] = rows;
  if (server && Number(server.number) >= 130_000) return;
  throw new BootError(`The database is PostgreSQL ${server?.version}; version 13 is the oldest that works.`, [
    'Name a newer one in DATABASE_URL, or leave it out for the embedded one.',
  ]);
}
