import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UploadCleanup } from '../../src/index.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

const COUNT = Number(process.env.CLEANUP_ROWS ?? 10_000);
const MEBIBYTE = 1024 ** 2;

describe(`${COUNT} expired uploads, two instances at once`, () => {
  let app: TestApp;
  let other: TestApp;

  beforeAll(async () => {
    app = await startTestApp();
    other = await startTestApp({ database: app.database, root: app.root });
    const rows = await app.dataSource.query<{ storage_key: string }[]>(
      `INSERT INTO chunked_upload (id, filename, "offset", storage_key, expires_at)
       SELECT id, 'a', 10, '2026/01/01/' || id, now() - interval '1 hour'
       FROM (SELECT gen_random_uuid() AS id FROM generate_series(1, ${COUNT})) ids RETURNING storage_key`,
    );
    await mkdir(join(app.root, '2026/01/01'), { recursive: true });
    for (const { storage_key: key } of rows) await writeFile(join(app.root, `${key}.part`), '0123456789');
  }, 120_000);
  afterAll(async () => {
    await other.close();
    await app.close();
  });

  it('each is deleted once, row and bytes, in batches, with flat memory', async () => {
    const deleted = new Map<string, number>();
    const stops = [app, other].map(({ type }) =>
      type.engine.context.events.on('expired', ({ id }) => void deleted.set(id, (deleted.get(id) ?? 0) + 1)),
    );
    const before = process.memoryUsage().rss;
    const reports = await Promise.all([app, other].map((one) => one.app.get(UploadCleanup).run()));
    const grown = process.memoryUsage().rss - before;
    stops.forEach((stop) => stop());
    expect(reports.map(({ rows }) => rows).reduce((sum, rows) => sum + rows)).toBe(COUNT);
    expect(reports.map(({ bytes }) => bytes).reduce((sum, bytes) => sum + bytes)).toBe(COUNT * 10);
    expect(reports.map(({ failures }) => failures)).toEqual([0, 0]);
    expect([deleted.size, Math.max(...deleted.values())]).toEqual([COUNT, 1]);
    expect([await app.rows(), await app.files()]).toEqual([[], []]);
    expect(grown).toBeLessThan(100 * MEBIBYTE);
  }, 120_000);
});
