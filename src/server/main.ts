import 'reflect-metadata';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { INestApplication } from '@nestjs/common';
import { openDatabase } from './database.js';
import { describeBootFailure } from './describe-boot-failure.js';
import { describeEnvironment, readEnvironment, type ServerEnvironment } from './environment.js';
import { migrateDatabase } from './migrate.js';
import { Shutdown } from './shutdown.js';
import { describeServer } from './welcome.js';

/** A step that takes longer is named, so that nobody wonders. */
const SILENT_MS = 1_000;

/** What a cut may take after the chunks had their grace, for answers that nobody reads. */
const LINGERING_ANSWERS_MS = 2_000;

const log = (line: string): void => console.log(line);

process.on('uncaughtException', crash);
process.on('unhandledRejection', crash);

if (process.argv.includes('--help')) log(describeEnvironment());
else await start();

async function start(): Promise<void> {
  let environment: ServerEnvironment | undefined;
  const shutdown = new Shutdown((cut) => log(describeStop(cut, environment)));
  shutdown.listen();
  try {
    environment = readEnvironment(process.env);
    await shutdown.during(boot(environment, shutdown));
  } catch (error) {
    // The signal's own handler ends the process.
    if (shutdown.requested) return;
    const lines = describeBootFailure(error);
    console.error(lines ? `\n${lines.join('\n  ')}\n` : error);
    await shutdown.close(true);
    process.exit(1);
  }
}

async function boot(environment: ServerEnvironment, shutdown: Shutdown): Promise<void> {
  const database = await named('Starting PostgreSQL…', openDatabase(environment, log));
  shutdown.add((cut) => database.close(cut));
  await named('Connecting to the database…', migrateDatabase(database.url));
  shutdown.checkpoint();
  // Imported late: half a second of modules that a wrong setting needs not wait for.
  const { createApp, listen } = await import('./create-app.js');
  const app = await named('Starting the server…', createApp(environment, database.url));
  shutdown.add(() => closeApp(app, environment));
  await listen(app, environment);
  const address = app.getHttpServer().address() as AddressInfo;
  log(await describeServer(environment, address, database.url));
}

/** Lets running chunks finish, for as long as the module gives them. */
async function closeApp(
  app: INestApplication<Server>,
  { shutdownGraceMs }: ServerEnvironment,
): Promise<void> {
  // Downloads are no chunks, and a reader that went to sleep would hold the process for good.
  const limit = setTimeout(
    () => app.getHttpServer().closeAllConnections(),
    shutdownGraceMs + LINGERING_ANSWERS_MS,
  );
  await app.close().finally(() => clearTimeout(limit));
}

async function named<Result>(line: string, step: Promise<Result>): Promise<Result> {
  const timer = setTimeout(() => log(line), SILENT_MS);
  return step.finally(() => clearTimeout(timer));
}

function describeStop(cut: boolean, environment: ServerEnvironment | undefined): string {
  if (cut) return 'Stopping at once.';
  const seconds = Math.ceil((environment?.shutdownGraceMs ?? 0) / 1000);
  return `\nStopping: letting running chunks finish (up to ${seconds} s)… press Ctrl-C again to cut them`;
}

/**
 * Nothing is put in order here: after a failure nobody foresaw, memory cannot be trusted, and every offset that was
 * acknowledged is on disk already. The next start finds the database again.
 */
function crash(error: unknown): void {
  console.error('Unexpected failure; the server ends here. Uploads go on where they are after a restart.');
  console.error(error);
  process.exit(1);
}
