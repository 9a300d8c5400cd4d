import 'reflect-metadata';
import { setFlagsFromString } from 'node:v8';
import { openDatabase } from './database.js';
import { describeBootFailure } from './describe-boot-failure.js';
import { describeEnvironment, readEnvironment, type ServerEnvironment } from './environment.js';
import { makeDirectory } from './make-directory.js';
import { type Log, named } from './progress.js';
import { Shutdown } from './shutdown.js';

const log: Log = (line) => console.log(line);

// A heap that at most doubles from one full collection to the next, and a space for new objects that does not grow: a
// fifth less memory under load, at the same speed (docs/performance.md).
setFlagsFromString('--heap-growing-percent=100');
setFlagsFromString('--semi-space-growth-factor=1');

process.on('uncaughtException', crash);
process.on('unhandledRejection', crash);

if (process.argv.includes('--help')) log(describeEnvironment());
else await start();

async function start(): Promise<void> {
  const shutdown = new Shutdown(log);
  shutdown.listen();
  try {
    await shutdown.during(boot(readEnvironment(process.env), shutdown));
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
  // Nest and TypeORM take most of a second to load; meanwhile the database starts.
  const loading = import('./serve.js');
  await makeDirectory(environment.dataDirectory);
  const database = await named('Starting PostgreSQL…', log, openDatabase(environment, log));
  shutdown.add((cut) => database.close(cut));
  const { serve } = await loading;
  await serve(environment, database, shutdown, log);
  shutdown.graceMs = environment.shutdownGraceMs;
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
