import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { ChunkedUpload, chunkedUploadMigrations } from '../../src/index.js';
import { createDatabase, type TestDatabase } from '../support/test-app.js';

describe('The migrations', () => {
  let database: TestDatabase;
  let source: DataSource;

  beforeAll(async () => {
    database = await createDatabase();
    source = new DataSource({
      type: 'postgres',
      url: database.url,
      entities: [ChunkedUpload],
      migrations: chunkedUploadMigrations,
    });
    await source.initialize();
  });

  afterAll(async () => {
    await source.destroy();
    await database.drop();
  });

  it('make exactly the table that the entity describes, names included', async () => {
    const { upQueries } = await source.driver.createSchemaBuilder().log();
    expect(upQueries.map(({ query }) => query)).toEqual([]);
  });

  it('go down and up again', async () => {
    await source.undoLastMigration();
    expect(await source.query(`SELECT to_regclass('chunked_upload') AS found`)).toEqual([{ found: null }]);
    await source.runMigrations();
    expect(await source.showMigrations()).toBe(false);
  });
});
