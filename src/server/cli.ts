import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { createProgram } from '../cli/program.js';
import { AppModule } from './app.module.js';
import { openDatabase } from './database.js';
import { describeBootFailure } from './describe-boot-failure.js';
import { readEnvironment } from './environment.js';
import { migrateDatabase } from './migrate.js';

// The command line on the reference server's data; it may run beside the server.
let closeDatabase = (): Promise<void> => Promise.resolve();

const program = createProgram(async () => {
  const environment = readEnvironment(process.env);
  const database = await openDatabase(environment, () => undefined);
  closeDatabase = () => database.close(false);
  await migrateDatabase(database.url);
  const module = AppModule.register(
    { ...environment, upload: { ...environment.upload, cleanup: false } },
    database.url,
  );
  return NestFactory.createApplicationContext(module, { logger: ['warn', 'error'], abortOnError: false });
});

try {
  await program.parseAsync();
} catch (error) {
  console.error(describeBootFailure(error)?.join('\n  ') ?? error);
  process.exitCode = 1;
} finally {
  await closeDatabase();
}
