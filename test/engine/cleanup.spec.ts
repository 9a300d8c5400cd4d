import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LocalStorage, UploadCleanup } from '../../src/index.js';
import { FaultInjectingDriver } from '../../src/testing/index.js';
import { createDatabase, startTestApp, type TestApp, type TestDatabase } from '../support/test-app.js';
import { begin, call, cancel, complete, detail, openPut, put, someBytes, until } from './support/client.js';
import { filesOf, idOf, isLeased, rowOf, setRow } from './support/rows.js';

const EXPIRED = `expires_at = now() - interval '1 second'`;

/** What is due goes, once; what is in use or complete stays. */
describe('cleanup', () => {
  let app: TestApp;
  let other: TestApp;
  let database: TestDatabase;
  let root: string;
  let storage: FaultInjectingDriver;
  let cleanup: UploadCleanup;
  const bytes = someBytes(2000);

  beforeAll(async () => {
    database = await createDatabase();
    root = await mkdtemp(join(tmpdir(), 'cleanup-'));
    storage = new FaultInjectingDriver(new LocalStorage({ root }));
    app = await startTestApp({ upload: { storage }, database, root });
    other = await startTestApp({ upload: { storage }, database, root });
    cleanup = app.app.get(UploadCleanup);
  });
  beforeEach(async () => {
    for (const row of await app.rows()) await cancel(app, `/upload/${String(row.id)}`);
    await app.dataSource.query('DELETE FROM chunked_upload');
  });
  afterEach(() => storage.letGo());
  afterAll(async () => {
    await other.close();
    await app.close();
    await database.drop();
    await rm(root, { recursive: true, force: true });
  });

  /** An upload of 1000 bytes that has expired. */
  async function expiredUpload(): Promise<string> {
    const path = await begin(app, bytes.subarray(0, 1000), 2000);
    await setRow(app, path, EXPIRED);
    return path;
  }

  async function expectGone(path: string): Promise<void> {
    expect(await rowOf(app, path)).toBeNull();
    expect(await filesOf(app, path)).toEqual([]);
  }

  async function expectKept(path: string): Promise<void> {
    expect((await detail(app, path)).status).toBe(200);
    expect(await filesOf(app, path)).toHaveLength(1);
  }

  it('deletes what has expired, and reports it', async () => {
    const due = [await expiredUpload(), await expiredUpload()];
    const fresh = await begin(app, bytes.subarray(0, 1000), 2000);
    const report = await cleanup.run();
    expect(report).toMatchObject({ dryRun: false, rows: 2, bytes: 2000, failures: 0 });
    expect(report.types).toEqual({ ChunkedUpload: { rows: 2, bytes: 2000, failures: 0 } });
    for (const path of due) await expectGone(path);
    await expectKept(fresh);
    expect(await cleanup.run()).toMatchObject({ rows: 0, bytes: 0, failures: 0 });
  });

  it('an expired upload is 410 before the cleanup and 404 after it', async () => {
    const path = await expiredUpload();
    const answers = async () => [
      await detail(app, path),
      await put(app, bytes.subarray(1000), { path, start: 1000, total: 2000 }),
      await complete(app, path, bytes),
    ];
    expect((await answers()).map(({ status }) => status)).toEqual([410, 410, 410]);
    await cleanup.run();
    expect((await answers()).map(({ status }) => status)).toEqual([404, 404, 404]);
  });

  it('500 expired uploads, two instances at once: each is deleted once', async () => {
    await app.dataSource.query(
      `INSERT INTO chunked_upload (id, filename, "offset", storage_key, expires_at)
       SELECT id, 'a', 10, '2026/01/01/' || id, now() - interval '1 hour'
       FROM (SELECT gen_random_uuid() AS id FROM generate_series(1, 500)) ids`,
    );
    const seen: string[] = [];
    const stops = [app, other].map(({ type }) =>
      type.engine.context.events.on('expired', ({ id }) => void seen.push(id)),
    );
    const progress: number[] = [];
    const reports = await Promise.all([
      cleanup.run({ onProgress: ({ rows }) => void progress.push(rows) }),
      other.app.get(UploadCleanup).run(),
    ]);
    await until(() => seen.length >= 500);
    stops.forEach((stop) => stop());
    expect(reports.map(({ rows }) => rows).reduce((sum, rows) => sum + rows)).toBe(500);
    expect(reports.every(({ failures }) => failures === 0)).toBe(true);
    expect(new Set(seen).size).toBe(500);
    expect(seen).toHaveLength(500);
    // In batches, and both had their share.
    expect(progress.length).toBeGreaterThan(2);
    expect(Math.min(...reports.map(({ rows }) => rows))).toBeGreaterThan(0);
    expect(await app.rows()).toEqual([]);
  });

  it('spares what is being written, though it has expired, and the chunk is acknowledged', async () => {
    const path = await begin(app, bytes.subarray(0, 1000), 2000);
    const chunk = openPut(app, 1000, { path, start: 1000, total: 2000 });
    await chunk.send(bytes.subarray(1000, 1500));
    await until(() => isLeased(app, path));
    await setRow(app, path, EXPIRED);
    for (const target of [app, other]) {
      for (const options of [{}, { unfinished: true }, { olderThan: new Date(Date.now() + 60_000) }]) {
        expect((await target.app.get(UploadCleanup).run(options)).rows).toBe(0);
      }
    }
    await chunk.send(bytes.subarray(1500));
    chunk.end();
    expect((await chunk.answer).status).toBe(200);
    expect((await complete(app, path, bytes)).status).toBe(200);
  });

  it('takes what a lease that ran out has left', async () => {
    const path = await expiredUpload();
    await setRow(app, path, `lease_token = gen_random_uuid(), lease_expires_at = now(), lease_holder = 'x'`);
    expect((await cleanup.run()).rows).toBe(1);
    await expectGone(path);
  });

  it('takes what got stuck: completing, failed, deleting', async () => {
    for (const status of ['completing', 'failed', 'deleting']) {
      const path = await expiredUpload();
      await setRow(app, path, `status = '${status}', updated_at = now() - interval '2 minutes'`);
      expect((await cleanup.run()).rows).toBe(1);
      await expectGone(path);
    }
  });

  it('never touches a complete upload, whatever it is told', async () => {
    const path = await begin(app, bytes, 2000);
    await complete(app, path, bytes);
    await setRow(app, path, `${EXPIRED}, updated_at = now() - interval '1 year'`);
    await cleanup.run();
    await cleanup.run({ unfinished: true });
    await cleanup.run({ olderThan: new Date() });
    expect((await detail(app, path)).body.status).toBe('complete');
    await expectKept(path);
  });

  it('olderThan goes by the last activity, instead of by expiry', async () => {
    const [old, fresh] = [await begin(app, bytes.subarray(0, 1000), 2000), await expiredUpload()];
    await setRow(app, old, `updated_at = now() - interval '3 hours'`);
    expect((await cleanup.run({ olderThan: new Date(Date.now() - 7_200_000) })).rows).toBe(1);
    await expectGone(old);
    expect(await rowOf(app, fresh)).not.toBeNull();
  });

  it('unfinished takes all that is not complete', async () => {
    const fresh = await begin(app, bytes.subarray(0, 1000), 2000);
    const ready = await begin(app, bytes, 2000);
    expect((await cleanup.run({ unfinished: true })).rows).toBe(2);
    await expectGone(fresh);
    await expectGone(ready);
  });

  it('a dry run counts the same and deletes nothing', async () => {
    const paths = [await expiredUpload(), await expiredUpload(), await expiredUpload()];
    expect(await cleanup.run({ dryRun: true })).toMatchObject({ dryRun: true, rows: 3, bytes: 3000 });
    expect(await cleanup.run({ dryRun: true, limit: 2 })).toMatchObject({ rows: 2, bytes: 2000 });
    for (const path of paths) expect(await filesOf(app, path)).toHaveLength(1);
    expect(await cleanup.run()).toMatchObject({ rows: 3, bytes: 3000 });
  });

  it('a limit is kept, over batches too', async () => {
    for (let count = 0; count < 4; count++) await expiredUpload();
    expect((await cleanup.run({ limit: 0 })).rows).toBe(0);
    expect((await cleanup.run({ limit: 3 })).rows).toBe(3);
    expect(await app.rows()).toHaveLength(1);
    await app.dataSource.query(
      `INSERT INTO chunked_upload (id, filename, storage_key, expires_at)
       SELECT gen_random_uuid(), 'a', '2026/01/01/x', now() FROM generate_series(1, 250)`,
    );
    expect((await cleanup.run({ limit: 150 })).rows).toBe(150);
    expect(await app.rows()).toHaveLength(101);
  });

  it('a limit is kept, whatever plan PostgreSQL has', async () => {
    const avoided = ['hashjoin', 'mergejoin', 'hashagg', 'sort', 'material'];
    const options = avoided.map((node) => `-c enable_${node}=off`).join(' ');
    const url = `${database.url}?options=${encodeURIComponent(options)}`;
    const planned = await startTestApp({ upload: { storage }, database: { ...database, url }, root });
    try {
      for (let count = 0; count < 4; count++) await expiredUpload();
      expect((await planned.app.get(UploadCleanup).run({ limit: 1 })).rows).toBe(1);
      expect(await app.rows()).toHaveLength(3);
    } finally {
      await planned.close();
    }
  });

  it('keepRecords deletes the bytes and answers 410 from then on, to its owner only', async () => {
    const path = await expiredUpload();
    expect((await cleanup.run({ keepRecords: true })).rows).toBe(1);
    expect(await filesOf(app, path)).toEqual([]);
    expect(await rowOf(app, path)).toMatchObject({
      status: 'deleting',
      storage_key: null,
      digest_state: null,
    });
    for (const answer of [
      await detail(app, path),
      await put(app, bytes.subarray(1000), { path, start: 1000, total: 2000 }),
      await complete(app, path, bytes),
      await cancel(app, path),
      await call(app, `${path}/content`),
    ]) {
      expect([answer.status, answer.body.code]).toEqual([410, 'expired']);
    }
    expect((await call(app, '/upload')).body.items).toEqual([]);
    expect((await cleanup.run({ keepRecords: true })).rows).toBe(0);
    expect((await cleanup.run({ unfinished: true })).rows).toBe(0);
  });

  it('a storage that fails keeps one upload back, not the others; a later run tries again', async () => {
    const paths = [await expiredUpload(), await expiredUpload(), await expiredUpload()];
    storage.fail({ kind: 'before', at: 2, calls: ['discard'] });
    expect(await cleanup.run()).toMatchObject({ rows: 2, failures: 1, bytes: 2000 });
    const [left] = await app.rows();
    expect(left?.status).toBe('deleting');
    const path = paths.find((candidate) => idOf(candidate) === left?.id) ?? '';
    expect(await filesOf(app, path)).toHaveLength(1);
    expect((await detail(app, path)).status).toBe(410);
    // Another run may be at it, for a minute.
    expect((await cleanup.run()).rows).toBe(0);
    await setRow(app, path, `updated_at = now() - interval '61 seconds'`);
    expect((await cleanup.run()).rows).toBe(1);
    await expectGone(path);
  });

  it('a storage that fails for all, for long, does not keep it running', async () => {
    await expiredUpload();
    const discard = jest.spyOn(storage, 'discard').mockImplementation(async () => {
      await app.dataSource.query(`UPDATE chunked_upload SET updated_at = now() - interval '2 minutes'`);
      throw new Error('ETIMEDOUT');
    });
    expect(await cleanup.run()).toMatchObject({ rows: 0, failures: 1 });
    discard.mockRestore();
    expect(await cleanup.run()).toMatchObject({ rows: 1, failures: 0 });
  });

  it('a file that is gone already is no failure', async () => {
    const path = await expiredUpload();
    await rm(join(root, (await filesOf(app, path))[0] ?? ''));
    expect(await cleanup.run()).toMatchObject({ rows: 1, failures: 0 });
  });

  it('an upload type that is not there is named', async () => {
    await expect(cleanup.run({ types: ['Avatar'] })).rejects.toThrow(/no upload type Avatar.*ChunkedUpload/);
    expect(await cleanup.run({ types: ['ChunkedUpload'] })).toMatchObject({ rows: 0 });
    expect(await cleanup.run({ types: [] })).toMatchObject({ rows: 0, types: {} });
  });

  it('a chunk, a completion and a cleanup of an upload that is just expiring: one of them wins', async () => {
    for (let round = 0; round < 15; round++) {
      const path = await begin(app, bytes, 2000);
      await setRow(app, path, `expires_at = now() + interval '${5 + round} milliseconds'`);
      const answers = Promise.all([complete(app, path, bytes), complete(other, path, bytes)]);
      await cleanup.run();
      const statuses = (await answers).map(({ status }) => status);
      expect(statuses.filter((status) => ![200, 404, 410, 423].includes(status))).toEqual([]);
      if (statuses.includes(200)) await expectKept(path);
      await cleanup.run();
      if (!statuses.includes(200)) await expectGone(path);
    }
  });

  it('runs by the clock', async () => {
    const path = await expiredUpload();
    const clocked = await startTestApp({ upload: { storage, cleanup: '* * * * * *' }, database, root });
    await until(async () => (await rowOf(app, path)) === null, 4000);
    await clocked.close();
    await expectGone(path);
  });
});
