import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LocalStorage, UploadCleanup, UploadHealth } from '../../src/index.js';
import { FaultInjectingDriver, type FaultKind } from '../../src/testing/index.js';
import { startTestApp, type TestApp } from '../support/test-app.js';
import {
  type Answer,
  begin,
  call,
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
import { filesOf, isLeased, rowOf } from './support/rows.js';

const code = ({ status, body }: Answer) => `${status} ${String(body.code ?? body.status)}`;

/** Every call to the storage fails once, in every way: what was acknowledged is there, and the upload goes on. */
describe('a storage that fails', () => {
  let app: TestApp;
  let root: string;
  let storage: FaultInjectingDriver;
  const bytes = someBytes(30_000);
  const total = bytes.length;

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'storage-faults-'));
    storage = new FaultInjectingDriver(new LocalStorage({ root }));
    app = await startTestApp({ upload: { storage }, root });
  });
  afterEach(async () => {
    storage.letGo();
    for (const { id } of await app.rows()) await cancel(app, `/upload/${String(id)}`);
  });
  afterAll(async () => {
    await app.close();
    await rm(root, { recursive: true, force: true });
  });

  /** Sends a request; when storage hangs, its operator notices after a while. */
  async function patiently(work: Promise<Answer>): Promise<Answer> {
    const operator = setInterval(() => storage.hasFailed && storage.letGo(), 150);
    const answer = await work.finally(() => clearInterval(operator));
    expect([200, 204, 503, 507]).toContain(answer.status);
    return answer;
  }

  /** A client as it should be: asks where the upload stands after every failure. What it saw must never shrink. */
  async function uploadResuming(): Promise<string> {
    let path: string | null = null;
    let acknowledged = 0;
    for (let attempt = 0; attempt < 12; attempt++) {
      const place = { start: acknowledged, total, ...(path && { path }) };
      const isAllThere: boolean = acknowledged === total;
      const answer: Answer =
        isAllThere && path
          ? await patiently(complete(app, path, bytes))
          : await patiently(put(app, bytes.subarray(acknowledged, acknowledged + 10_000), place));
      if (answer.status === 200 && isAllThere) return path ?? '';
      if (answer.status === 200) path = `/upload/${String(answer.body.id)}`;
      if (!path) continue;
      const { body } = await detail(app, path);
      expect(Number(body.offset)).toBeGreaterThanOrEqual(acknowledged);
      acknowledged = Number(body.offset);
    }
    throw new Error('The upload did not come to its end.');
  }

  it.each<FaultKind>(['before', 'after', 'short', 'hang'])('at any one call (%s)', async (kind) => {
    let struck = 0;
    for (let at = 1; ; at++) {
      storage.fail({ kind, at });
      const path = await uploadResuming();
      // The first reading may be the call that fails, in the middle of an answer.
      const operator = setInterval(() => storage.hasFailed && storage.letGo(), 150);
      const read = await call(app, `${path}/content`).catch(() => null);
      clearInterval(operator);
      expect((read?.status === 200 ? read.bytes : await content(app, path)).equals(bytes)).toBe(true);
      expect((await rowOf(app, path))?.lease_token).toBeNull();
      if ((await patiently(cancel(app, path))).status !== 204) {
        expect((await cancel(app, path)).status).toBe(204);
      }
      const { hasFailed } = storage;
      storage.letGo();
      // What a failed creation could not delete waits for the cleanup.
      await app.dataSource.query(`UPDATE chunked_upload SET updated_at = now() - interval '2 minutes'`);
      await app.app.get(UploadCleanup).run({ unfinished: true });
      expect(await app.rows()).toEqual([]);
      expect(await app.files()).toEqual([]);
      if (!hasFailed) break;
      struck = at;
    }
    expect(struck).toBeGreaterThan(12);
  });

  it('a call that hangs for ever holds nobody else', async () => {
    const [rest, next] = [bytes.subarray(10_000), bytes.subarray(20_000)];
    const path = await begin(app, bytes.subarray(0, 10_000), total);
    storage.fail({ kind: 'hang', at: 1, calls: ['commit'] });
    const hanging = put(app, rest, { path, start: 10_000, total });
    await until(() => storage.hasFailed);
    const [same, behind, completion] = await Promise.all([
      put(app, rest, { path, start: 10_000, total }),
      put(app, next, { path, start: 20_000, total }),
      complete(app, path, bytes),
    ]);
    expect([same, behind, completion].map(code)).toEqual(['423 busy', '423 busy', '423 busy']);
    expect((await cancel(app, path)).status).toBe(204);
    expect((await detail(app, path)).status).toBe(404);
    storage.letGo();
    expect(code(await hanging)).toBe('404 not_found');
    await app.dataSource.query(`UPDATE chunked_upload SET updated_at = now() - interval '2 minutes'`);
    await app.app.get(UploadCleanup).run();
    expect([await app.rows(), await app.files()]).toEqual([[], []]);
  });

  it('a chunk that fails leaves no byte behind the offset, and the next one is taken at once', async () => {
    for (const call of ['write', 'commit'] as const) {
      const path = await begin(app, bytes.subarray(0, 10_000), total);
      storage.fail({ kind: 'before', at: 1, calls: [call] });
      const rest = bytes.subarray(10_000);
      expect(code(await put(app, rest, { path, start: 10_000, total }))).toBe('503 storage_unavailable');
      const [file = ''] = await filesOf(app, path);
      expect((await stat(join(root, file))).size).toBe(10_000);
      expect((await put(app, rest, { path, start: 10_000, total })).status).toBe(200);
      expect((await rowOf(app, path))?.generation).toBe(0);
    }
  });

  it('a folder that vanishes is 503, makes no row, and is not made anew', async () => {
    const path = await begin(app, bytes.subarray(0, 10_000), total);
    const rows = (await app.rows()).length;
    await rename(root, `${root}-away`);
    try {
      for (const answer of [
        await put(app, bytes, { total }),
        await put(app, bytes.subarray(10_000), { path, start: 10_000, total }),
        await cancel(app, path),
      ]) {
        expect(code(answer)).toBe('503 storage_unavailable');
        expect(JSON.stringify(answer.body)).not.toContain(root);
      }
      expect(await app.app.get(UploadHealth).check()).toEqual({ database: 'up', storage: 'down' });
      await expect(stat(root)).rejects.toThrow('ENOENT');
    } finally {
      await rm(root, { recursive: true, force: true });
      await rename(`${root}-away`, root);
    }
    expect(await app.app.get(UploadHealth).check()).toEqual({ database: 'up', storage: 'up' });
    expect((await app.rows()).length).toBe(rows);
    await cancel(app, path);
  });
});

/** A small disk of its own; null where mounting is not allowed. */
function mountSmallDisk(): string | null {
  const directory = mkdtempSync(join(tmpdir(), 'small-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m,mode=700', 'tmpfs', directory], { stdio: 'ignore' });
    return directory;
  } catch {
    rmdirSync(directory);
    return null;
  }
}

const disk = mountSmallDisk();
// Here, since a run of some of the tests may pass over the disk's own.
afterAll(async () => {
  if (!disk) return;
  execFileSync('umount', [disk]);
  await rm(disk, { recursive: true });
});

(disk ? describe : describe.skip)(
  `a disk that is full${disk ? '' : ' (not run: mounting needs root)'}`,
  () => {
    const mountPoint = disk ?? '';
    let app: TestApp;

    beforeAll(async () => {
      app = await startTestApp({ root: mountPoint });
    });
    afterAll(async () => {
      await app.close();
    });

    it('is 507, leaves nothing of the chunk, and the upload goes on when there is room', async () => {
      const bytes = someBytes(3_000_000);
      const [total, start] = [bytes.length, 300_000];
      const path = await begin(app, bytes.subarray(0, start), total);
      for (let attempt = 0; attempt < 2; attempt++) {
        const refused = await put(app, bytes.subarray(start), { path, start, total });
        expect(code(refused)).toBe('507 no_space');
        expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
        const [file = ''] = await filesOf(app, path);
        expect((await stat(join(mountPoint, file))).size).toBe(start);
        expect((await detail(app, path)).body.offset).toBe(start);
      }
      const refused = await put(app, someBytes(2_000_000));
      expect(code(refused)).toBe('507 no_space');
      expect(await app.rows()).toHaveLength(1);
      expect(await app.files()).toHaveLength(1);
      // A small one still fits.
      expect((await put(app, someBytes(1000))).status).toBe(200);
      execFileSync('mount', ['-o', 'remount,size=8m', mountPoint]);
      expect((await put(app, bytes.subarray(start), { path, start, total })).status).toBe(200);
      expect(code(await complete(app, path, bytes))).toBe('200 complete');
      expect((await content(app, path)).equals(bytes)).toBe(true);
    });

    it('fails the health check, which leaves nothing on it either', async () => {
      const names = (await readdir(mountPoint)).sort();
      const fill = ['if=/dev/zero', `of=${join(mountPoint, 'filler')}`, 'bs=4096'];
      expect(() => execFileSync('dd', fill, { stdio: 'ignore' })).toThrow();
      expect(await app.app.get(UploadHealth).check()).toEqual({ database: 'up', storage: 'down' });
      await rm(join(mountPoint, 'filler'));
      expect((await readdir(mountPoint)).sort()).toEqual(names);
      expect(await app.app.get(UploadHealth).check()).toEqual({ database: 'up', storage: 'up' });
    });
  },
);

/** SIGTERM, as an app that closes. */
describe('closing the app', () => {
  const first = someBytes(1000);
  const rest = someBytes(10_000);
  const total = 11_000;
  const whole = Buffer.concat([first, rest]);

  it('lets chunks finish that do within the grace, cuts off the others, and loses nothing', async () => {
    const keeper = await startTestApp();
    const app = await startTestApp({
      database: keeper.database,
      root: keeper.root,
      upload: { shutdownGrace: '500ms' },
    });
    const [quick, slow, form] = await Promise.all([1, 2, 3].map(() => begin(app, first, total)));
    const start = async (path = '') => {
      const chunk = openPut(app, rest.length, { path, start: 1000, total });
      await chunk.send(rest.subarray(0, 4000));
      await until(() => isLeased(app, path));
      return chunk;
    };
    const [quickChunk, slowChunk] = [await start(quick), await start(slow)];
    const created = openPut(app, rest.length, { total });
    await created.send(rest.subarray(0, 4000));
    await until(async () => (await app.rows()).length === 4);
    const asked = Date.now();
    const closing = app.app.close();
    await sleep(100);
    expect(code(await put(app, rest, { path: form, start: 1000, total }))).toBe('503 shutting_down');
    expect((await detail(app, quick ?? '')).status).toBe(200);
    await quickChunk.send(rest.subarray(4000));
    quickChunk.end();
    expect((await quickChunk.answer).status).toBe(200);
    for (const cut of [slowChunk, created]) {
      const answer = await cut.answer.catch(() => null);
      if (answer) expect(code(answer)).toBe('503 shutting_down');
    }
    await closing;
    expect(Date.now() - asked).toBeLessThan(2500);
    expect((await keeper.rows()).map(({ lease_token }) => lease_token)).toEqual([null, null, null]);
    expect((await detail(keeper, quick ?? '')).body.offset).toBe(total);
    expect((await detail(keeper, slow ?? '')).body.offset).toBe(5000);
    expect(await keeper.files()).toHaveLength(3);
    expect((await put(keeper, rest.subarray(4000), { path: slow, start: 5000, total })).status).toBe(200);
    for (const path of [quick ?? '', slow ?? '']) {
      expect(code(await complete(keeper, path, whole))).toBe('200 complete');
      expect((await content(keeper, path)).equals(whole)).toBe(true);
      expect((await rowOf(keeper, path))?.generation).toBe(0);
    }
    await keeper.close();
  });

  it('waits for a completion that runs', async () => {
    const keeper = await startTestApp();
    const upload = { shutdownGrace: 50, beforeComplete: () => sleep(300) };
    const app = await startTestApp({ database: keeper.database, root: keeper.root, upload });
    const path = await begin(app, whole, total);
    const completing = complete(app, path, whole);
    await until(() => isLeased(app, path));
    await app.app.close();
    expect(code(await completing)).toBe('200 complete');
    expect((await detail(keeper, path)).body.status).toBe('complete');
    await keeper.close();
  });
});
