import type { Logger } from 'typeorm';
import { startTestApp, type TestAppOptions } from '../../support/test-app.js';

/** What the parent says of the app; everything else is as in every test. */
interface Settings {
  readonly adapter: 'express' | 'fastify';
  readonly root: string;
  readonly upload: TestAppOptions['upload'];
}

/** An app in a process of its own, which can crash, hang and be polluted without taking the tests with it. */
const settings = JSON.parse(process.env.ABUSE_SERVER ?? '{}') as Settings;
const headerOf = (request: unknown, name: string): string | undefined =>
  (request as { headers: Record<string, string | undefined> }).headers[name];

const app = await startTestApp({
  adapter: settings.adapter,
  root: settings.root,
  upload: {
    resolveUser: (request) => headerOf(request, 'x-user') ?? null,
    userRestricted: false,
    idleTimeout: '2s',
    ...settings.upload,
  },
  nest: { logger: ['error', 'warn', 'fatal'] },
});

/** What the database refused: a statement that a client's bytes got into would be among these. */
const sqlErrors: string[] = [];
const nothing = () => undefined;
const recorder: Logger = {
  logQuery: nothing,
  logQueryError: (error, sql) => void sqlErrors.push(`${String(error)}: ${sql.slice(0, 200)}`),
  logQuerySlow: nothing,
  logSchemaBuild: nothing,
  logMigration: nothing,
  log: nothing,
};
app.dataSource.logger = recorder;

/** Everything that a polluted prototype would show in. */
function prototypes(): string {
  const shape = (object: object) => Reflect.ownKeys(object).map((key) => String(key));
  return JSON.stringify([shape(Object.prototype), shape(Array.prototype), shape(Function.prototype)]);
}

async function report(): Promise<void> {
  const rows = await app.rows();
  process.send?.({ rows, sqlErrors, prototypes: prototypes(), rss: process.memoryUsage.rss() });
}

process.on('message', (message) => {
  if (message === 'report') void report();
  if (message === 'stop') void app.close().then(() => process.disconnect());
});
process.send?.({ origin: app.origin });
