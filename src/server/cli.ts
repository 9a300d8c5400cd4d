import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { runProgram } from '../cli/exit-code.js';
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

await runProgram(program, (error) => console.error(describeBootFailure(error)?.join('\n  ') ?? error));
await closeDatabase();
