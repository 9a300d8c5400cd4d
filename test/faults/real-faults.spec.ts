import { mkdir, mkdtemp, readFile, rename, rm, statfs, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { LocalStorage, UploadCleanup } from '../../src/index.js';
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
  putForm,
  someBytes,
} from '../engine/support/client.js';
import { filesOf, isLeased, rowOf, setRow } from '../engine/support/rows.js';
import { createDatabase, startTestApp, type TestApp, type TestDatabase } from '../support/test-app.js';
import { Program } from './support/program.js';
import { command, itUnless, mount, unmountAll, whyNoMounts } from './support/root-only.js';

const KIBIBYTE = 1024;
const noMounts = await whyNoMounts('tmpfs');
const noPrlimit = await command('prlimit', '--version').then(
  () => null,
  () => 'needs prlimit',
);
const withMounts = itUnless(noMounts);
const withPrlimit = itUnless(noPrlimit);
const code = ({ status, body }: Answer) => `${status} ${String(body.code ?? body.status)}`;

describe('real faults of the storage', () => {
  let base: string;
  let root: string;
  let database: TestDatabase;
  let app: TestApp | null = null;
  const programs: Program[] = [];

  beforeAll(async () => {
    database = await createDatabase();
    base = await mkdtemp(join(tmpdir(), 'faults-'));
    root = join(base, 'root');
  });
  afterEach(async () => {
    for (const program of programs.splice(0)) {
      program.signal('SIGKILL');
      await program.end();
    }
    await app?.close();
    app = null;
    await unmountAll();
    await rm(root, { recursive: true, force: true });
  });
  afterAll(async () => {
    await unmountAll();
    await database.drop();
    await rm(base, { recursive: true, force: true });
  });

  async function startOn(folder: string): Promise<TestApp> {
    await mkdir(folder, { recursive: true });
    app = await startTestApp({ root: folder, database });
    return app;
  }

  async function finish(on: TestApp, path: string, whole: Buffer): Promise<void> {
    const { offset } = (await detail(on, path)).body as { offset: number };
    const rest = whole.subarray(offset);
    if (rest.length > 0)
      expect(code(await put(on, rest, { path, start: offset, total: whole.length }))).toBe('200 uploading');
    expect(code(await complete(on, path, whole))).toBe('200 complete');
    expect((await content(on, path)).equals(whole)).toBe(true);
  }

  withMounts('a full disk: 507, nothing left of the chunk, and on it goes when there is room', async () => {
    await mkdir(root);
    await mount('tmpfs', root, 'size=1m');
    const on = await startOn(root);
    const whole = someBytes(700 * KIBIBYTE);
    const path = await begin(on, whole.subarray(0, 300 * KIBIBYTE), whole.length);
    await writeFile(join(root, 'ballast'), Buffer.alloc(500 * KIBIBYTE));
    const freeBefore = (await statfs(root)).bfree;
    const rest = whole.subarray(300 * KIBIBYTE);
    const place = { path, start: 300 * KIBIBYTE, total: whole.length };
    for (const send of [put, putForm]) {
      const refused = await send(on, rest, place);
      expect({ is: code(refused), retry: refused.headers['retry-after'] }).toEqual({
        is: '507 no_space',
        retry: '60',
      });
      expect((await statfs(root)).bfree).toBe(freeBefore);
      expect(await rowOf(on, path)).toMatchObject({
        offset: String(300 * KIBIBYTE),
        lease_token: null,
        status: 'uploading',
      });
    }
    const rows = (await on.rows()).length;
    expect(code(await put(on, whole))).toBe('507 no_space');
    expect(await on.rows()).toHaveLength(rows);
    expect((await statfs(root)).bfree).toBe(freeBefore);
    expect((await detail(on, path)).status).toBe(200);
    await unlink(join(root, 'ballast'));
    await finish(on, path, whole);
  });

  withMounts(
    'a disk that became read-only: 503 for bytes, looks and downloads go on, then all goes on',
    async () => {
      await mkdir(root);
      await mount('tmpfs', root, 'size=4m');
      const on = await startOn(root);
      const whole = someBytes(2_000);
      const done = await begin(on, whole, whole.length);
      await finish(on, done, whole);
      const path = await begin(on, whole.subarray(0, 1_000), whole.length);
      const full = await begin(on, whole, whole.length);
      await command('mount', '-o', 'remount,ro', root);
      const rows = (await on.rows()).length;
      expect(code(await put(on, whole))).toBe('503 storage_unavailable');
      expect(code(await put(on, whole.subarray(1_000), { path, start: 1_000, total: 2_000 }))).toBe(
        '503 storage_unavailable',
      );
      expect(code(await complete(on, full, whole))).toBe('503 storage_unavailable');
      expect(code(await cancel(on, full))).toBe('503 storage_unavailable');
      expect(code(await detail(on, path))).toBe('200 uploading');
      expect((await content(on, done)).equals(whole)).toBe(true);
      await command('mount', '-o', 'remount,rw', root);
      await finish(on, path, whole);
      // The cancelled one is on its way out: cleanup takes it from there.
      await setRow(on, full, `updated_at = now() - interval '1 hour'`);
      await on.app.get(UploadCleanup, { strict: false }).run();
      expect(await rowOf(on, full)).toBeNull();
      expect(await filesOf(on, full)).toEqual([]);
      expect((await on.rows()).filter(({ status }) => status === 'deleting')).toEqual([]);
      expect((await on.rows()).length).toBeLessThanOrEqual(rows);
    },
  );

  /** Everything a client can ask for while the storage is not there. */
  async function askAll(on: TestApp, whole: Buffer, paths: { part: string; full: string; done: string }) {
    const half = whole.length / 2;
    return {
      create: code(await put(on, whole)),
      append: code(
        await put(on, whole.subarray(half), { path: paths.part, start: half, total: whole.length }),
      ),
      complete: code(await complete(on, paths.full, whole)),
      content: code(await call(on, `${paths.done}/content`)),
      head: (await call(on, `${paths.done}/content`, { method: 'HEAD' })).status,
      cancel: code(await cancel(on, paths.full)),
      look: code(await detail(on, paths.part)),
    };
  }

  describe('a folder that is not there any more', () => {
    const whole = someBytes(2_000);
    let paths: { part: string; full: string; done: string };
    let on: TestApp;
    beforeEach(async () => {
      on = await startOn(root);
      const done = await begin(on, whole, whole.length);
      await finish(on, done, whole);
      paths = {
        done,
        part: await begin(on, whole.subarray(0, 1_000), whole.length),
        full: await begin(on, whole, whole.length),
      };
    });

    const away = {
      append: '503 storage_unavailable',
      complete: '503 storage_unavailable',
      content: '503 storage_unavailable',
      head: 503,
      cancel: '503 storage_unavailable',
      look: '200 uploading',
    };

    async function expectNothingLost(): Promise<void> {
      const rows = await on.rows();
      expect(rows.filter(({ status }) => status === 'failed')).toEqual([]);
      expect(await rowOf(on, paths.part)).toMatchObject({
        offset: '1000',
        lease_token: null,
        status: 'uploading',
      });
      expect(await rowOf(on, paths.done)).toMatchObject({ status: 'complete' });
      await finish(on, paths.part, whole);
      expect((await content(on, paths.done)).equals(whole)).toBe(true);
    }

    it('vanished: 503, never "failed", never made again', async () => {
      await rename(root, `${root}-away`);
      try {
        expect(await askAll(on, whole, paths)).toEqual({ create: '503 storage_unavailable', ...away });
        await expect(statfs(root)).rejects.toThrow('ENOENT');
      } finally {
        await rename(`${root}-away`, root);
      }
      await expectNothingLost();
    });

    it('replaced by another volume: 503, never "failed", and cleanup deletes no row', async () => {
      const other = join(base, 'other');
      await rename(root, `${root}-away`);
      await new LocalStorage({ root: other }).check();
      await rename(other, root);
      try {
        expect(await askAll(on, whole, paths)).toEqual({ create: '503 storage_unavailable', ...away });
        await setRow(on, paths.part, `expires_at = now() - interval '1 day'`);
        const report = await on.app.get(UploadCleanup, { strict: false }).run();
        expect(report).toMatchObject({ rows: 0, failures: 1 });
        expect(await rowOf(on, paths.part)).not.toBeNull();
        await setRow(on, paths.part, `expires_at = now() + interval '1 day', status = 'uploading'`);
      } finally {
        await rm(root, { recursive: true, force: true });
        await rename(`${root}-away`, root);
      }
      await expectNothingLost();
    });

    it('a mount point without its volume: an instance that starts on it says 503 for what is elsewhere', async () => {
      await rename(root, `${root}-away`);
      await mkdir(root);
      const second = await startTestApp({ root, database });
      try {
        const { create, ...rest } = await askAll(second, whole, paths);
        expect(rest).toEqual(away);
        expect(['200 uploading', '503 storage_unavailable']).toContain(create);
        await second.app.get(UploadCleanup, { strict: false }).run();
      } finally {
        await second.close();
        await rm(root, { recursive: true, force: true });
        await rename(`${root}-away`, root);
      }
      await on.dataSource.query(`DELETE FROM chunked_upload WHERE "offset" = 2000 AND status = 'uploading'`);
      await expectNothingLost();
    });
  });

  function startProgram(around: readonly string[], upload: object = {}): Program {
    const settings = { root, databaseUrl: database.url, upload };
    const env = { FAULTY_SERVER: JSON.stringify(settings), UV_THREADPOOL_SIZE: '4' };
    const program = new Program('test/faults/support/faulty-server.ts', env, around);
    programs.push(program);
    return program;
  }

  withPrlimit('short writes (RLIMIT_FSIZE): never counted as whole, 507, the prefix intact', async () => {
    const program = startProgram(['prlimit', '--fsize=1500000:unlimited']);
    const target = { origin: await program.origin() };
    const whole = someBytes(2_000_000);
    expect(code(await put(target, whole))).toBe('507 no_space');
    const path = await begin(target, whole.subarray(0, 1_000_000), whole.length);
    const rest = whole.subarray(1_000_000);
    expect(code(await put(target, rest, { path, start: 1_000_000, total: whole.length }))).toBe(
      '507 no_space',
    );
    expect((await detail(target, path)).body.offset).toBe(1_000_000);
    await command('prlimit', `--pid=${program.pid}`, '--fsize=unlimited:unlimited');
    const rested = await put(target, rest, { path, start: 1_000_000, total: whole.length });
    expect(code(rested)).toBe('200 uploading');
    expect(code(await complete(target, path, whole))).toBe('200 complete');
    expect((await content(target, path)).equals(whole)).toBe(true);
    expect(await readFile(`/proc/${program.pid}/limits`, 'utf8')).toContain('Max file size');
  });

  withPrlimit('no descriptors left: 503 or no connection, no crash, and all works again after', async () => {
    const program = startProgram([]);
    const target = { origin: await program.origin() };
    const whole = someBytes(10_000);
    const path = await begin(target, whole.subarray(0, 5_000), whole.length);
    await command('prlimit', `--pid=${program.pid}`, '--nofile=64:1024');
    const opened = Array.from({ length: 100 }, () => openPut(target, 1_000));
    for (const request of opened) void request.send(someBytes(500)).catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    for (const request of opened.slice(0, 60)) {
      void request.send(someBytes(500)).catch(() => undefined);
      request.end();
    }
    const answers = await Promise.allSettled(
      opened.slice(0, 60).map(({ answer }) => withLimit(answer, 5_000)),
    );
    for (const request of opened) request.reset();
    const statuses = answers.map((each) => (each.status === 'fulfilled' ? each.value.status : 0));
    expect(statuses.filter((status) => ![0, 200, 503].includes(status))).toEqual([]);
    await command('prlimit', `--pid=${program.pid}`, '--nofile=1024:1024');
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(program.ended).toBeNull();
    const rest = await put(target, whole.subarray(5_000), { path, start: 5_000, total: whole.length });
    expect(code(rest)).toBe('200 uploading');
    expect(code(await complete(target, path, whole))).toBe('200 complete');
    expect((await content(target, path)).equals(whole)).toBe(true);
    const on = await startOn(root);
    expect(await isLeased(on, path)).toBe(false);
  });
});

async function withLimit<Value>(promise: Promise<Value>, ms: number): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>(
    (_, reject) => (timer = setTimeout(() => reject(new Error('no answer')), ms)),
  );
  return Promise.race([promise, limit]).finally(() => clearTimeout(timer));
}
