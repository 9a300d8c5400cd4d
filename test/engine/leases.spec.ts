import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { LocalStorage } from '../../src/index.js';
import { LeaseHolder } from '../../src/engine/lease-holder.js';
import { startTestApp, type TestApp } from '../support/test-app.js';
import {
  type Answer,
  begin,
  cancel,
  complete,
  content,
  detail,
  openPut,
  put,
  sleep,
  someBytes,
  until,
} from './support/client.js';
import { filesOf, idOf, isLeased, rowOf, setRow } from './support/rows.js';

const LEASED = `lease_token = gen_random_uuid(), lease_expires_at = now() + interval '20 seconds'`;
const RAN_OUT = `lease_expires_at = now() - interval '1 second'`;

/** The right to write, over several processes: two apps on one database and one folder stand for them. */
describe('leases', () => {
  let app: TestApp;
  let other: TestApp;
  const first = someBytes(1000);
  const rest = someBytes(10_000);
  const total = 11_000;
  const whole = Buffer.concat([first, rest]);

  beforeAll(async () => {
    const upload = { leaseTtl: '900ms', idleTimeout: '5s' };
    app = await startTestApp({ upload });
    other = await startTestApp({ upload, database: app.database, root: app.root });
  });
  afterAll(async () => {
    await other.close();
    await app.close();
  });

  const code = ({ status, body }: Answer) => `${status} ${String(body.code ?? body.status)}`;
  const putRest = (target: TestApp, path: string) => put(target, rest, { path, start: 1000, total });

  async function finish(target: TestApp, path: string, bytes = whole): Promise<void> {
    expect(code(await complete(target, path, bytes))).toBe('200 complete');
    expect((await content(target, path)).equals(bytes)).toBe(true);
    expect(await filesOf(app, path)).toHaveLength(1);
  }

  describe('of a holder in another process', () => {
    it('are let go for a newer request at the same offset, within a second, and nothing is copied', async () => {
      const path = await begin(app, first, total);
      const chunk = openPut(app, rest.length, { path, start: 1000, total });
      await chunk.send(Buffer.alloc(4000));
      await until(() => isLeased(app, path));
      const asked = Date.now();
      expect(code(await putRest(other, path))).toBe('200 uploading');
      expect(Date.now() - asked).toBeLessThan(1000);
      expect(code(await chunk.answer)).toBe('423 taken_over');
      expect((await rowOf(app, path))?.generation).toBe(0);
      await finish(other, path);
    });

    it('are kept against a request for bytes that are there, and a completion', async () => {
      const path = await begin(app, first, total);
      const chunk = openPut(app, rest.length, { path, start: 1000, total });
      await chunk.send(rest.subarray(0, 4000));
      await until(() => isLeased(app, path));
      expect(code(await put(other, first, { path, start: 0, total }))).toBe('400 offset_mismatch');
      expect(code(await complete(other, path, whole))).toBe('400 incomplete');
      await chunk.send(rest.subarray(4000));
      chunk.end();
      expect((await chunk.answer).status).toBe(200);
      await finish(other, path);
    });

    it('last as long as bytes keep coming, and longer than their time to live', async () => {
      const path = await begin(app, first, total);
      const chunk = openPut(app, rest.length, { path, start: 1000, total });
      for (let at = 0; at < 8; at++) {
        await chunk.send(rest.subarray(at * 1000, at * 1000 + 1000));
        await sleep(200);
        expect(await isLeased(app, path)).toBe(true);
      }
      await chunk.send(rest.subarray(8000));
      chunk.end();
      expect((await chunk.answer).status).toBe(200);
      expect((await rowOf(app, path))?.generation).toBe(0);
      await finish(app, path);
    });

    it('are respected when the holder does not let go: on another host, or not to be told', async () => {
      const paths = await Promise.all([1, 2, 3, 4].map(() => begin(app, first, total)));
      const holders = [`'["another boot pid:[1]", 1, "1", "x"]'`, `'not json'`, `'[1,2]'`, 'NULL'];
      const answers = paths.map(async (path, index) => {
        await setRow(app, path, `${LEASED}, lease_holder = ${holders[index]}`);
        return putRest(app, path);
      });
      for (const refused of await Promise.all(answers)) {
        expect(code(refused)).toBe('423 busy');
        expect(Number(refused.headers['retry-after'])).toBeGreaterThan(15);
        expect(refused.body.retry_after).toBe(Number(refused.headers['retry-after']));
      }
    });
  });

  describe('of a holder that ended', () => {
    async function endedHolder(): Promise<string> {
      const [host] = JSON.parse(new LeaseHolder().name) as [string];
      const child = spawn('sleep', ['10']);
      await once(child, 'spawn');
      const stat = await readFile(`/proc/${child.pid}/stat`, 'utf8');
      child.kill('SIGKILL');
      await once(child, 'exit');
      return JSON.stringify([host, child.pid, stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19], 'x']);
    }

    it('are taken over at once, and nothing is copied', async () => {
      const path = await begin(app, first, total);
      await setRow(app, path, `${LEASED}, lease_holder = '${await endedHolder()}'`);
      expect((await putRest(app, path)).status).toBe(200);
      expect((await rowOf(app, path))?.generation).toBe(0);
      await finish(app, path);
    });

    it('are taken over at once when its pid belongs to somebody else now', async () => {
      const path = await begin(app, first, total);
      const [host] = JSON.parse(new LeaseHolder().name) as [string];
      await setRow(app, path, `${LEASED}, lease_holder = '${JSON.stringify([host, process.pid, '1', 'x'])}'`);
      expect((await putRest(app, path)).status).toBe(200);
      expect((await rowOf(app, path))?.generation).toBe(0);
    });

    it('need no copy either when they have run out meanwhile: a server that was down for an hour', async () => {
      const path = await begin(app, first, total);
      await setRow(app, path, `${LEASED}, lease_holder = '${await endedHolder()}'`);
      await setRow(app, path, RAN_OUT);
      expect((await putRest(app, path)).status).toBe(200);
      expect((await rowOf(app, path))?.generation).toBe(0);
      await finish(app, path);
    });

    it('do not keep a completion out', async () => {
      const path = await begin(app, whole, total);
      await setRow(app, path, `${LEASED}, lease_holder = '${await endedHolder()}', status = 'completing'`);
      await finish(app, path);
    });

    it('do not keep a completion out whose file has its final name already', async () => {
      const path = await begin(app, whole, total);
      const [part = ''] = await filesOf(app, path);
      await rename(join(app.root, part), join(app.root, part.replace('.part', '.done')));
      await setRow(app, path, `${LEASED}, lease_holder = '${await endedHolder()}', status = 'completing'`);
      await finish(app, path);
    });
  });

  describe('that ran out while the holder was asleep', () => {
    it('are taken; what the sleeper still writes is read by nobody', async () => {
      const path = await begin(app, first, total);
      const sleeper = openPut(app, rest.length, { path, start: 1000, total });
      await sleeper.send(Buffer.alloc(4000));
      await until(() => isLeased(app, path));
      await setRow(app, path, RAN_OUT);
      const taken = put(other, rest.subarray(0, 5000), { path, start: 1000, total });
      expect(code(await taken)).toBe('200 uploading');
      expect((await rowOf(app, path))?.generation).toBe(1);
      await sleeper.send(Buffer.alloc(6000));
      sleeper.end();
      expect(code(await sleeper.answer)).toBe('423 taken_over');
      expect((await detail(other, path)).body.offset).toBe(6000);
      expect((await put(app, rest.subarray(5000), { path, start: 6000, total })).status).toBe(200);
      expect((await rowOf(app, path))?.generation).toBe(1);
      await finish(other, path);
    });

    it('tell the sleeper within a third of their time, even when no byte comes', async () => {
      const path = await begin(app, first, total);
      const sleeper = openPut(app, rest.length, { path, start: 1000, total });
      await sleeper.send(rest.subarray(0, 4000));
      await until(() => isLeased(app, path));
      await setRow(
        app,
        path,
        `lease_token = gen_random_uuid(), lease_expires_at = now() + interval '1 minute'`,
      );
      const asked = Date.now();
      expect(code(await sleeper.answer)).toBe('423 taken_over');
      expect(Date.now() - asked).toBeLessThan(800);
      await setRow(app, path, 'lease_token = NULL');
      expect((await detail(app, path)).body.offset).toBe(1000);
      expect((await putRest(app, path)).status).toBe(200);
      await finish(app, path);
    });

    it('leave a writer that wakes up after the completion harmless', async () => {
      const path = await begin(app, first, total);
      const driver = new LocalStorage({ root: app.root });
      const row = (await rowOf(app, path)) ?? {};
      const sleeper = await driver.append(
        {
          id: idOf(path),
          storageKey: String(row.storage_key),
          generation: 0,
          storageState: row.storage_state as Record<string, string>,
        },
        1000,
      );
      await sleeper.write([Buffer.alloc(3000)]);
      await setRow(app, path, `${LEASED}, lease_holder = 'asleep'`);
      await setRow(app, path, RAN_OUT);
      expect((await putRest(app, path)).status).toBe(200);
      await sleeper.write([Buffer.alloc(3000)]);
      await finish(app, path);
      await sleeper.write([Buffer.alloc(3000)]);
      await sleeper.commit(true).catch(() => undefined);
      await sleeper.abort();
      expect((await content(app, path)).equals(whole)).toBe(true);
    });

    it('are taken for a completion, too', async () => {
      const path = await begin(app, whole, total);
      await setRow(app, path, `${LEASED}, lease_holder = 'asleep'`);
      expect(code(await complete(app, path, whole))).toBe('423 busy');
      await setRow(app, path, RAN_OUT);
      await finish(app, path);
      expect((await rowOf(app, path))?.generation).toBe(1);
    });
  });

  describe('and the file', () => {
    const pathOnDisk = async (path: string) => join(app.root, (await filesOf(app, path))[0] ?? 'none');

    it('a torn tail behind the offset is never read, never counted, never followed by a chunk', async () => {
      const path = await begin(app, first, total);
      await appendFile(await pathOnDisk(path), someBytes(50_000));
      expect((await detail(app, path)).body.offset).toBe(1000);
      expect((await putRest(app, path)).status).toBe(200);
      await appendFile(await pathOnDisk(path), someBytes(50_000));
      await finish(app, path);
    });

    it.each([
      ['shorter than the offset', (file: string) => truncate(file, 999)],
      ['missing', (file: string) => rm(file)],
    ])('a file that is %s fails the upload for good, and is not filled up', async (_, lose) => {
      const path = await begin(app, first, total);
      await lose(await pathOnDisk(path));
      const before = await filesOf(app, path);
      expect(code(await putRest(app, path))).toBe('410 failed');
      expect(code(await putRest(app, path))).toBe('410 failed');
      expect(code(await complete(app, path, whole))).toBe('410 failed');
      expect((await detail(app, path)).body.status).toBe('failed');
      expect(await filesOf(app, path)).toEqual(before);
      expect((await cancel(app, path)).status).toBe(204);
      expect(await filesOf(app, path)).toEqual([]);
    });

    it.each([
      ['shorter than the offset', (file: string) => truncate(file, 10_999)],
      ['missing', (file: string) => rm(file)],
    ])('a file that is %s cannot be completed', async (_, lose) => {
      const path = await begin(app, whole, total);
      await lose(await pathOnDisk(path));
      expect(code(await complete(app, path, whole))).toBe('410 failed');
      expect((await detail(app, path)).body.status).toBe('failed');
    });

    it('a complete file that is missing is said so, and not as a bad request', async () => {
      const path = await begin(app, whole, total);
      await finish(app, path);
      await rm(await pathOnDisk(path));
      const answer = await detail(app, `${path}/content`);
      expect(code(answer)).toBe('410 failed');
      expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
      expect(answer.headers['content-disposition']).toBeUndefined();
    });

    it('another volume in its place is "unavailable", not "lost"; nothing is deleted there', async () => {
      const path = await begin(app, first, total);
      const doomed = await begin(app, first, total);
      const marker = join(app.root, '.volume');
      const id = await readFile(marker, 'utf8');
      const file = await pathOnDisk(path);
      await rename(file, `${file}.elsewhere`);
      await writeFile(marker, 'another volume\n');
      try {
        const rows = (await app.rows()).length;
        for (const answer of [
          await putRest(app, path),
          await put(app, first, { total }),
          await cancel(app, doomed),
        ]) {
          expect(code(answer)).toBe('503 storage_unavailable');
          expect(answer.headers['retry-after']).toBe('10');
        }
        expect(await app.rows()).toHaveLength(rows);
        expect(await filesOf(app, doomed)).toHaveLength(1);
      } finally {
        await writeFile(marker, id);
        await rename(`${file}.elsewhere`, file);
      }
      expect((await cancel(app, doomed)).status).toBe(204);
      expect((await putRest(app, path)).status).toBe(200);
      await finish(app, path);
    });
  });
});
