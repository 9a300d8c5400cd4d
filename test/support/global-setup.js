import './typescript.js';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

/**
 * One PostgreSQL for the whole run, in `TEST_DATABASE_URL` for the workers: that of `DATABASE_URL`, else the embedded
 * one in a temporary folder. (Plain JavaScript: jest loads this file without its mapping of imports to TypeScript.)
 */
export default async function globalSetup() {
  if (process.env.DATABASE_URL) {
    process.env.TEST_DATABASE_URL = process.env.DATABASE_URL;
    console.log('The tests use the PostgreSQL of DATABASE_URL.');
    return;
  }
  const startedAt = Date.now();
  const directory = await mkdtemp(path.join(tmpdir(), 'nestjs-chunked-upload-test-'));
  const postgres = await startIn(directory);
  process.env.TEST_DATABASE_URL = postgres.url;
  console.log(`PostgreSQL for the tests is up (${Date.now() - startedAt} ms).`);
  globalThis.stopTestDatabase = async () => {
    await postgres.stop({ cut: true });
    await rm(directory, { recursive: true, force: true });
  };
  // jest runs no teardown when it is interrupted.
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.once(signal, () => void globalThis.stopTestDatabase().finally(() => process.exit(1)));
  }
}

async function startIn(directory) {
  // mkdtemp makes it 0700; as root, PostgreSQL runs as another user, who has to pass.
  await chmod(directory, 0o755);
  const { startPostgres } = await import('../../src/server/postgres/start-postgres.js');
  try {
    return await startPostgres({
      directory: path.join(directory, 'postgres'),
      log: () => {},
      durable: false,
    });
  } catch (error) {
    await rm(directory, { recursive: true, force: true });
    throw new Error([error.message, ...(error.advice ?? [])].join('\n'), { cause: error });
  }
}
