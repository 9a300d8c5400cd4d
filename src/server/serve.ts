import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { INestApplication } from '@nestjs/common';
import { createApp, listen } from './create-app.js';
import type { ServerDatabase } from './database.js';
import type { ServerEnvironment } from './environment.js';
import { migrateDatabase } from './migrate.js';
import { type Log, named } from './progress.js';
import type { Shutdown } from './shutdown.js';
import { describeServer } from './welcome.js';

/** What a stop may take after the chunks had their grace, for answers that nobody reads. */
const LINGERING_ANSWERS_MS = 1_000;

/** From a database that runs to a server that listens; what was started is registered with `shutdown`. */
export async function serve(
  environment: ServerEnvironment,
  database: ServerDatabase,
  shutdown: Shutdown,
  log: Log,
): Promise<void> {
  await named('Connecting to the database…', log, migrateDatabase(database.url));
  shutdown.checkpoint();
  const app = await named('Starting the server…', log, createApp(environment, database.url));
  shutdown.add(() => closeApp(app, environment));
  await listen(app, environment);
  shutdown.checkpoint();
  const address = app.getHttpServer().address() as AddressInfo;
  log(await describeServer(environment, address, database.url));
}

/** Lets running chunks finish, for as long as the module gives them. */
async function closeApp(
  app: INestApplication<Server>,
  { shutdownGraceMs }: ServerEnvironment,
): Promise<void> {
  // Downloads are no chunks, and a reader that went to sleep would hold the process for good.
  const patienceMs = shutdownGraceMs + LINGERING_ANSWERS_MS;
  const limit = setTimeout(() => app.getHttpServer().closeAllConnections(), patienceMs);
  await app.close().finally(() => clearTimeout(limit));
}
