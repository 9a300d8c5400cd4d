import path from 'node:path';
import type { ServerEnvironment } from './environment.js';
import { startPostgres } from './postgres/start-postgres.js';

/** The database the server works on. */
export interface ServerDatabase {
  /** With the password. */
  readonly url: string;
  /** Stops it if it is the embedded one and nobody else uses it. */
  readonly close: (cut: boolean) => Promise<void>;
}

/** The database of `DATABASE_URL`, or the embedded one, started when it does not run yet. */
export async function openDatabase(
  { databaseUrl, dataDirectory }: ServerEnvironment,
  log: (line: string) => void,
): Promise<ServerDatabase> {
  if (databaseUrl !== undefined) return { url: databaseUrl, close: () => Promise.resolve() };
  const postgres = await startPostgres({ directory: path.join(dataDirectory, 'postgres'), log });
  return { url: postgres.url, close: (cut) => postgres.stop({ cut }) };
}
