import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { LocalStorage } from '../../src/index.js';
import { FaultInjectingDriver } from '../../src/testing/index.js';
import { createDatabase, startTestApp, type TestApp, type TestDatabase } from '../support/test-app.js';
import { begin, openPut, sleep, someBytes, until } from './support/client.js';
import { startDatabaseProxy } from './support/database-proxy.js';
import { isLeased, rowOf } from './support/rows.js';

const BACKLOG = 1_000;

/** What else is going on when the app is told to stop. */
describe('shutdown', () => {
  let database: TestDatabase;
  let root: string;
  let observer: TestApp;
  let storage: FaultInjectingDriver;
  const bytes = someBytes(2_000);

  beforeAll(async () => {
    database = await createDatabase();
    root = await mkdtemp(join(tmpdir(), 'shutdown-'));
    observer = await startTestApp({ database, root });
  });
  beforeEach(async () => {
    storage = new FaultInjectingDriver(new LocalStorage({ root }));
    await observer.dataSource.query('DELETE FROM chunked_upload');
  });
  afterEach(() => storage.letGo());
  afterAll(async () => {
    await observer.close();
    await database.drop();
    await rm(root, { recursive: true, force: true });
  });

  /** An app that cleans every second. */
  const cleaning = () =>
    startTestApp({
      upload: { storage, cleanup: '* * * * * *', shutdownGrace: '100ms' },
      database,
      root,
    });

  const addExpired = (count: number) =>
    observer.dataSource.query(
      `INSERT INTO chunked_upload (id, filename, "offset", storage_key, expires_at)
       SELECT id, 'a', 10, '2026/01/01/' || id, now() - interval '1 hour'
       FROM (SELECT gen_random_uuid() AS id FROM generate_series(1, ${count})) ids`,
    );

  it('drains at once though a cleanup hangs in the storage, and does not wait for it', async () => {
    const app = await cleaning();
    const path = await begin(app, bytes.subarray(0, 1_000), 2_000);
    const chunk = openPut(app, 1_000, { path, start: 1_000, total: 2_000 });
    await chunk.send(bytes.subarray(1_000, 1_500));
    await until(() => isLeased(observer, path));
    storage.fail({ kind: 'hang', at: 1, calls: ['discard'] });
    await addExpired(1);
    await until(() => storage.hasFailed);
    const toldAt = Date.now();
    const closing = app.close();
    expect((await chunk.answer).body.code).toBe('shutting_down');
    expect(Date.now() - toldAt).toBeLessThan(1_500);
    expect(await rowOf(observer, path)).toMatchObject({ offset: '1500', lease_token: null });
    await closing;
    expect(Date.now() - toldAt).toBeLessThan(6_000);
  });

  it('ends a cleanup of many after its batch', async () => {
    const { discard } = storage;
    const discards = jest.spyOn(storage, 'discard').mockImplementation(async (upload) => {
      await sleep(5);
      return discard.call(storage, upload);
    });
    const app = await cleaning();
    await addExpired(BACKLOG);
    await until(() => discards.mock.calls.length > 10);
    await app.close();
    const left = await observer.rows();
    expect(left.length).toBeGreaterThan(BACKLOG / 2);
    // Of the batch at hand nothing is left over.
    expect(left.filter(({ status }) => status === 'deleting')).toEqual([]);
  });

  it('does not wait for a database that is frozen', async () => {
    const proxy = await startDatabaseProxy(database.url);
    const app = await startTestApp({ database: { ...database, url: proxy.url }, root });
    proxy.freeze();
    const toldAt = Date.now();
    await app.type.engine.drain(0);
    expect(Date.now() - toldAt).toBeLessThan(3_000);
    proxy.restore();
    await app.close();
    await proxy.close();
  });
});
