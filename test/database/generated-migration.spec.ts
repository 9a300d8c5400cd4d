import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createDatabase, type TestDatabase } from '../support/test-app.js';

const run = promisify(execFile);

/** TypeORM's own command line, on an app's data source with a subclass of our entity. */
describe('A migration for an entity of the app', () => {
  let database: TestDatabase;
  let folder: string;
  const typeorm = (...parameters: string[]) =>
    run(
      process.execPath,
      [
        '--import',
        './test/support/typescript.js',
        'node_modules/typeorm/cli.js',
        ...parameters,
        '-d',
        'test/database/generated-source.ts',
      ],
      {
        env: {
          ...process.env,
          NODE_OPTIONS: '',
          GENERATED_DATABASE_URL: database.url,
          GENERATED_MIGRATIONS: join(folder, '*.js'),
        },
      },
    );

  beforeAll(async () => {
    database = await createDatabase();
    folder = await mkdtemp(join(tmpdir(), 'generated-'));
  });
  afterAll(async () => {
    await database.drop();
    await rm(folder, { recursive: true });
  });

  it('is generated with just what is missing, runs, and leaves nothing to generate', async () => {
    await typeorm('migration:generate', join(folder, 'AddAvatarUpload'), '--outputJs', '--esm');
    const [name = ''] = await readdir(folder);
    const migration = await readFile(join(folder, name), 'utf8');
    expect(migration).toContain('CREATE TABLE "avatar_upload"');
    expect(migration).not.toContain('CREATE TABLE "chunked_upload"');
    expect((await typeorm('migration:run')).stdout).toContain('has been executed successfully');
    expect((await typeorm('migration:generate', join(folder, 'Again'), '--check')).stdout).toContain(
      'No changes in database schema were found',
    );
  });
});
