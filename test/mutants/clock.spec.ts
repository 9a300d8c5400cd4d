import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { UploadCleanup } from '../../src/index.js';
import { begin, detail, openPut, put, someBytes, until } from '../engine/support/client.js';
import { idOf, isLeased, setRow } from '../engine/support/rows.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

const HOUR_MS = 3_600_000;

/** Servers whose clocks disagree share uploads: what is over is said by the one clock they have in common. */
describe.each([
  ['an hour fast', HOUR_MS],
  ['an hour slow', -HOUR_MS],
])('with a server %s', (_, skewMs) => {
  let app: TestApp;
  const bytes = someBytes(2000);
  const half = bytes.subarray(0, 1000);

  beforeAll(async () => {
    jest.useFakeTimers({
      now: Date.now() + skewMs,
      doNotFake: [
        ...([
          'hrtime',
          'nextTick',
          'performance',
          'queueMicrotask',
          'setImmediate',
          'clearImmediate',
        ] as const),
        ...(['setInterval', 'clearInterval', 'setTimeout', 'clearTimeout'] as const),
      ],
    });
    app = await startTestApp({ upload: { expiresIn: '10m', leaseTtl: '30s' } });
  });
  afterAll(async () => {
    await app.close();
    jest.useRealTimers();
  });

  /** Seconds that a time of the row is ahead of the database. */
  async function secondsAhead(column: string, path: string): Promise<number> {
    const [row] = await app.dataSource.query<{ seconds: number }[]>(
      `SELECT EXTRACT(EPOCH FROM ${column} - now())::float8 AS seconds FROM chunked_upload WHERE id = $1`,
      [idOf(path)],
    );
    return row?.seconds ?? NaN;
  }

  function expectBetween(seconds: number, least: number, most: number): void {
    expect(seconds).toBeGreaterThan(least);
    expect(seconds).toBeLessThanOrEqual(most);
  }

  it('an upload expires by the clock of the database', async () => {
    const path = await begin(app, half, bytes.length);
    expectBetween(await secondsAhead('expires_at', path), 540, 600);
    await setRow(app, path, `expires_at = now() + interval '1 minute'`);
    expect((await put(app, half, { path, start: 1000, total: bytes.length })).status).toBe(200);
    expectBetween(await secondsAhead('expires_at', path), 540, 600);
  });

  it('an upload is used by the clock of the database', async () => {
    const [live, dead] = [await begin(app, half, bytes.length), await begin(app, half, bytes.length)];
    await setRow(app, live, `expires_at = now() + interval '1 minute'`);
    await setRow(app, dead, `expires_at = now() - interval '1 minute'`);
    const next = (path: string) => put(app, half.subarray(500), { path, start: 1000, total: bytes.length });
    expect([(await detail(app, live)).status, (await detail(app, dead)).status]).toEqual([200, 410]);
    expect([(await next(live)).status, (await next(dead)).status]).toEqual([200, 410]);
    expect((await app.app.get(UploadCleanup, { strict: false }).run()).rows).toBe(1);
    expect([(await detail(app, live)).status, (await detail(app, dead)).status]).toEqual([200, 404]);
  });

  it('a lease lasts by the clock of the database', async () => {
    const path = await begin(app, half, bytes.length);
    const chunk = openPut(app, half.length, { path, start: 1000, total: bytes.length });
    await chunk.send(half.subarray(0, 500));
    await until(() => isLeased(app, path));
    const seconds = await secondsAhead('lease_expires_at', path);
    await chunk.send(half.subarray(500));
    chunk.end();
    expect((await chunk.answer).status).toBe(200);
    expectBetween(seconds, 20, 30);
  });
});
