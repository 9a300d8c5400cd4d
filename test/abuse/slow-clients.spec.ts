import type { Server } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { md5, noise, RawConnection, UploadClient } from '../support/http.js';
import { until } from '../engine/support/client.js';
import { ADAPTERS, startTestApp } from '../support/test-app.js';
import { Abused } from './support/abused.js';

const MEBIBYTE = 2 ** 20;

describe.each(ADAPTERS)('slow and stubborn clients, on %s', (adapter) => {
  let abused: Abused;
  let client: UploadClient;
  beforeAll(async () => {
    // Four times as long as a dribbler keeps quiet.
    abused = await Abused.start(adapter, { idleTimeout: '4s' });
    client = new UploadClient(`${abused.origin}/upload`);
  });
  afterAll(() => abused.stop());

  const leased = async () => (await abused.report()).rows.filter((row) => row.lease_token !== null).length;

  /** The slowest of some honest uploads, in milliseconds. */
  async function honest(count: number): Promise<number> {
    const times: number[] = [];
    for (let n = 0; n < count; n++) {
      const startedAt = performance.now();
      const bytes = noise(10_000);
      const id = await client.store(bytes);
      expect(md5((await client.send(`/${id}/content`)).bytes)).toBe(md5(bytes));
      times.push(performance.now() - startedAt);
    }
    return times.sort((a, b) => a - b)[Math.floor(count * 0.95)] as number;
  }

  it('300 clients that dribble headers or bodies: others stay quick, nothing is kept of the dribblers', async () => {
    await honest(5);
    const idleP95 = await honest(20);
    // Their bodies last 100 seconds, so that no lease ends by itself before we have looked.
    const begun = await client.create(noise(105), { length: 5 });
    const slow = Array.from({ length: 300 }, (_, n) => {
      const connection = new RawConnection(abused.origin);
      if (n % 3 === 1) return connection.write('PUT /upload HTTP/1.1\r\nHost: a\r\n');
      const range = n === 0 ? 'bytes 5-104/105' : 'bytes 0-99/100';
      const path = n === 0 ? `/upload/${begun}` : '/upload';
      return connection.head(`PUT ${path}`, { 'Content-Range': range, 'Content-Length': 100 });
    });
    const dribbling = setInterval(() => {
      for (const [n, connection] of slow.entries()) connection.write(n % 3 === 1 ? 'X' : '.');
    }, 1_000);
    try {
      // Two in three have a row by now.
      await until(async () => (await leased()) >= 200, 20_000);
      // Twice what it is without them, and some for the machine, which others may keep busy meanwhile.
      const limit = 2 * idleP95 + 50;
      const tries: number[] = [];
      while (tries.length < 5 && !tries.some((p95) => p95 < limit)) tries.push(await honest(20));
      expect(Math.min(...tries)).toBeLessThan(limit);
      expect(await leased()).toBeGreaterThanOrEqual(200);
    } finally {
      clearInterval(dribbling);
    }
    for (const connection of slow) connection.destroy();
    // All but the one that was there before are taken back, rows and bytes.
    const unfinished = async () =>
      (await abused.report()).rows.filter((row) => row.status !== 'complete' || row.lease_token !== null);
    await until(async () => (await unfinished()).length === 1 && (await leased()) === 0, 8_000);
    const { rows } = await abused.report();
    expect((await unfinished()).map(({ id }) => id)).toEqual([begun]);
    expect(await abused.files()).toHaveLength(rows.length);
  }, 60_000);

  it('a body that stops is ended after the idle timeout, and the connection with it', async () => {
    const connection = new RawConnection(abused.origin);
    connection.head('PUT /upload', { 'Content-Range': 'bytes 0-9/10', 'Content-Length': 10 }).write('12345');
    const { status, json } = await connection.answer(8_000);
    expect({ status, code: json.code }).toEqual({ status: 408, code: 'idle_timeout' });
    expect(await connection.closed(15_000)).toBe(true);
  });

  it('refusals come before 100 MB do: the client reads them, memory stays flat', async () => {
    const { rss } = await abused.report();
    const block = Buffer.alloc(MEBIBYTE);
    const total = 100 * MEBIBYTE;
    const refusals: readonly [string, Record<string, string | number>, number][] = [
      ['PUT /upload', { 'Content-Range': `bytes 7-${total + 6}/${total + 7}` }, 400],
      ['PUT /upload', { 'Content-Range': 'bytes 0-9/10' }, 400],
      ['PUT /upload', {}, 400],
      [
        'PUT /upload/00000000-0000-0000-0000-000000000000',
        { 'Content-Range': `bytes 0-${total - 1}/${total}` },
        404,
      ],
      ['PUT /upload', { 'Content-Range': `bytes 0-${total - 1}/${total}`, 'Content-Encoding': 'gzip' }, 415],
      ['POST /upload/00000000-0000-0000-0000-000000000000', { 'Content-Type': 'application/json' }, 413],
    ];
    for (const [line, headers, expected] of refusals) {
      const connection = new RawConnection(abused.origin);
      connection.head(line, { ...headers, 'Content-Length': total });
      // Sends without a look at the answer, as most clients do, until it is cut off or all is sent.
      for (let n = 0; n < 100 && !connection.isClosed; n++)
        await connection.flush(block, 10_000).catch(() => undefined);
      const status = /^HTTP\/1\.1 (\d+)/.exec(connection.received)?.[1];
      expect({ line, headers, status: Number(status) }).toEqual({ line, headers, status: expected });
      connection.destroy();
      const after = await abused.report();
      expect(after.rss - rss).toBeLessThan(80 * MEBIBYTE);
    }
    await honest(1);
  });

  it('a small refused body leaves the connection usable', async () => {
    const connection = new RawConnection(abused.origin);
    connection.head('PUT /upload', { 'Content-Range': 'bytes x', 'Content-Length': MEBIBYTE });
    connection.write(Buffer.alloc(MEBIBYTE));
    expect((await connection.answer()).status).toBe(400);
    await sleep(100);
    connection.received = '';
    connection.head('GET /upload', {});
    expect((await connection.answer()).status).toBe(200);
    connection.destroy();
  });

  it('headers have to be there within a minute', async () => {
    const app = await startTestApp({ adapter });
    const { headersTimeout } = app.app.getHttpServer() as Server;
    await app.close();
    expect(headersTimeout).toBeGreaterThan(0);
    expect(headersTimeout).toBeLessThanOrEqual(60_000);
  });
});
