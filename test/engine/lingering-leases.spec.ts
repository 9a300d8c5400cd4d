import { readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type ChunkedUpload, UploadError } from '../../src/index.js';
import { startTestApp, type TestApp } from '../support/test-app.js';
import {
  type Answer,
  begin,
  cancel,
  complete,
  content,
  detail,
  md5,
  openPut,
  put,
  sleep,
  someBytes,
  until,
} from './support/client.js';
import { filesOf, isLeased, rowOf, setRow } from './support/rows.js';

const CHUNK = 1000;
/** After so many, one behind the other, the lease lingers. */
const RUN = 6;
const LINGER_MS = 4000;
/** For what happens when it is over. */
const PATIENCE_MS = 15_000;

/** The right to write that a process keeps between two chunks; two apps on one database and one folder. */
describe.each(['chunk', 'complete'] as const)('leases that linger, durability %s', (durability) => {
  let app: TestApp;
  let other: TestApp;
  const total = 20 * CHUNK;
  const whole = someBytes(total);
  const beforeChunk = jest.fn<() => void>();

  beforeAll(async () => {
    const resolveUser = (request: unknown) =>
      (request as { headers: Record<string, string | undefined> }).headers['x-user'] ?? null;
    const upload = { leaseLinger: LINGER_MS, leaseTtl: '30s', durability, resolveUser, beforeChunk };
    app = await startTestApp({ upload });
    other = await startTestApp({ upload, database: app.database, root: app.root });
  });
  beforeEach(() => void beforeChunk.mockReset());
  afterEach(() => void jest.restoreAllMocks());
  afterAll(async () => {
    await other.close();
    await app.close();
  });

  const code = ({ status, body }: Answer) => `${status} ${String(body.code ?? body.status)}`;

  const send = (target: TestApp, path: string, index: number, size: number | '*' = total) =>
    put(target, whole.subarray(index * CHUNK, (index + 1) * CHUNK), {
      path,
      start: index * CHUNK,
      total: size,
    });

  async function sendAll(
    target: TestApp,
    path: string,
    [from, to]: [number, number],
    size?: '*',
  ): Promise<void> {
    for (let index = from; index < to; index++)
      expect(code(await send(target, path, index, size))).toBe('200 uploading');
  }

  /** An upload of `RUN` chunks in `app`, which keeps its lease. */
  async function lingering(size: number | '*' = total): Promise<string> {
    const path = await begin(app, whole.subarray(0, CHUNK), size);
    await sendAll(app, path, [1, RUN], size === '*' ? '*' : undefined);
    expect(await isLeased(app, path)).toBe(true);
    return path;
  }

  /** From chunk `from` to the end, bytes and all, in the file in which it began. */
  async function finish(target: TestApp, path: string, from: number, generation = 0): Promise<void> {
    await sendAll(target, path, [from, 20]);
    expect(await isLeased(target, path)).toBe(false);
    expect(code(await complete(target, path, whole))).toBe('200 complete');
    expect((await content(target, path)).equals(whole)).toBe(true);
    expect((await rowOf(app, path))?.generation).toBe(generation);
    expect(await filesOf(app, path)).toHaveLength(1);
  }

  /** How many files under the root this process has open. */
  async function openFiles(): Promise<number> {
    const descriptors = await readdir('/proc/self/fd');
    const targets = descriptors.map((name) => readlink(join('/proc/self/fd', name)).catch(() => ''));
    return (await Promise.all(targets)).filter((target) => target.startsWith(app.root)).length;
  }

  it('are claimed once for a whole run of chunks', async () => {
    const path = await begin(app, whole.subarray(0, CHUNK), total);
    const claim = jest.spyOn(app.type.engine.context.repositories.leases, 'claim');
    await finish(app, path, 1);
    expect(claim).toHaveBeenCalledTimes(5);
    expect(await openFiles()).toBe(0);
  });

  it('are given back, with the file, when no chunk comes', async () => {
    const path = await lingering();
    expect(await openFiles()).toBe(1);
    await until(async () => !(await isLeased(app, path)), PATIENCE_MS);
    await until(async () => (await openFiles()) === 0, PATIENCE_MS);
    await finish(app, path, RUN);
  });

  it('go at once to another process that has the next chunk, and back', async () => {
    const path = await lingering();
    const asked = Date.now();
    await sendAll(other, path, [RUN, RUN + 1]);
    await sendAll(app, path, [RUN + 1, RUN + 7]);
    expect(await isLeased(app, path)).toBe(true);
    await finish(other, path, RUN + 7);
    expect(Date.now() - asked).toBeLessThan(LINGER_MS);
  });

  it('go at once to a completion, here and in another process', async () => {
    for (const target of [app, other]) {
      const path = await lingering('*');
      const sent = whole.subarray(0, RUN * CHUNK);
      const asked = Date.now();
      expect(code(await complete(target, path, sent))).toBe('200 complete');
      expect(Date.now() - asked).toBeLessThan(LINGER_MS);
      expect((await content(target, path)).equals(sent)).toBe(true);
      expect((await rowOf(app, path))?.generation).toBe(0);
    }
    expect(await openFiles()).toBe(0);
  });

  it('are no way around the checks of a claim', async () => {
    const path = await lingering();
    expect(code(await send(app, path, RUN + 1))).toBe('400 offset_mismatch');
    expect(code(await send(app, path, RUN, total + 1))).toBe('400 size_mismatch');
    expect(code(await put(app, whole, { path, start: RUN * CHUNK, total: '*' }))).toBe('400 size_mismatch');
    await sendAll(app, path, [RUN, RUN + 6]);
    expect(await isLeased(app, path)).toBe(true);
    const foreign = { path, start: (RUN + 6) * CHUNK, total, headers: { 'x-user': 'eve' } };
    expect(code(await put(app, whole.subarray(0, CHUNK), foreign))).toBe('404 not_found');
    await finish(app, path, RUN + 6);
  });

  it('serve the chunk of one request only', async () => {
    const path = await lingering();
    const start = RUN * CHUNK;
    const older = openPut(app, CHUNK, { path, start, total });
    await older.send(Buffer.alloc(100));
    await sleep(50);
    expect(code(await send(app, path, RUN))).toBe('200 uploading');
    expect(code(await older.answer)).toBe('423 taken_over');
    await finish(app, path, RUN + 1);
  });

  it('are no leftovers while the next chunk arrives', async () => {
    const path = await lingering('*');
    const chunk = openPut(app, CHUNK, { path, start: RUN * CHUNK, total: '*' });
    await chunk.send(whole.subarray(RUN * CHUNK, RUN * CHUNK + 300));
    await sleep(50);
    const sent = whole.subarray(0, RUN * CHUNK);
    expect(code(await complete(other, path, sent))).toBe('423 busy');
    expect(code(await complete(app, path, sent))).toBe('423 busy');
    await chunk.send(whole.subarray(RUN * CHUNK + 300, (RUN + 1) * CHUNK));
    chunk.end();
    expect(code(await chunk.answer)).toBe('200 uploading');
    expect(code(await complete(other, path, whole.subarray(0, (RUN + 1) * CHUNK)))).toBe('200 complete');
  });

  it('end with an upload that is cancelled, here or in another process', async () => {
    for (const target of [app, other]) {
      const path = await lingering();
      expect((await cancel(target, path)).status).toBe(204);
      expect(code(await send(app, path, RUN))).toBe('404 not_found');
      expect(await filesOf(app, path)).toEqual([]);
      await until(async () => (await openFiles()) === 0, PATIENCE_MS);
    }
  });

  it('end with an upload that expired meanwhile', async () => {
    const path = await lingering();
    await setRow(app, path, `expires_at = now() - interval '1 second'`);
    expect(code(await send(app, path, RUN))).toBe('410 expired');
    expect((await rowOf(app, path))?.offset).toBe(String(RUN * CHUNK));
    expect(await openFiles()).toBe(0);
  });

  it('serve a chunk that takes longer than the upload had left', async () => {
    const path = await lingering();
    const chunk = openPut(app, CHUNK, { path, start: RUN * CHUNK, total });
    await chunk.send(whole.subarray(RUN * CHUNK, RUN * CHUNK + 300));
    await sleep(50);
    await setRow(app, path, `expires_at = now() + interval '50 milliseconds'`);
    await sleep(200);
    await chunk.send(whole.subarray(RUN * CHUNK + 300, (RUN + 1) * CHUNK));
    chunk.end();
    expect(code(await chunk.answer)).toBe('200 uploading');
    await finish(app, path, RUN + 1);
  });

  it('do not pass on what the app does to the entity of a chunk', async () => {
    const spoil = (upload: Partial<ChunkedUpload>) => {
      for (const name of ['digestState', 'storageState', 'storageKey'] as const) delete upload[name];
    };
    const { events } = app.type.engine.context;
    const stopListening = events.on('chunkReceived', spoil);
    const path = await lingering();
    await finish(app, path, RUN);
    stopListening();
    expect((await rowOf(app, path))?.checksums).toEqual({ md5: md5(whole) });
  });

  it('are committed durably where an older file is replaced', async () => {
    const path = await lingering();
    await setRow(app, path, `lease_expires_at = now() - interval '1 second'`);
    jest.spyOn(other.type.engine.context.requests, 'ask').mockResolvedValue();
    const commit = jest.spyOn(other.type.engine.context.repositories.leases, 'commit');
    await sendAll(other, path, [RUN, RUN + 2]);
    expect(commit.mock.calls.map(([{ isDurable }]) => isDurable)).toEqual([true, durability === 'chunk']);
    await until(async () => (await openFiles()) === 0, PATIENCE_MS);
  });

  it('that were lost leave a process that still relies on them without its chunk', async () => {
    const path = await lingering();
    await setRow(app, path, `lease_expires_at = now() - interval '1 second'`);
    // Neither knows of the other: the one is taken for paused, the other has not looked.
    jest.spyOn(other.type.engine.context.requests, 'ask').mockResolvedValue();
    await sendAll(other, path, [RUN, RUN + 1]);
    const zeros = { path, start: RUN * CHUNK, total };
    expect(code(await put(app, Buffer.alloc(CHUNK), zeros))).toBe('423 taken_over');
    expect((await detail(app, path)).body.offset).toBe((RUN + 1) * CHUNK);
    await finish(app, path, RUN + 1, 1);
    expect(await openFiles()).toBe(0);
  });

  it('keep what arrived of a chunk that breaks off, and are given back', async () => {
    const path = await lingering();
    const chunk = openPut(app, CHUNK, { path, start: RUN * CHUNK, total });
    await chunk.send(whole.subarray(RUN * CHUNK, RUN * CHUNK + 300));
    await sleep(50);
    chunk.answer.catch(() => undefined);
    chunk.reset();
    await until(async () => (await detail(app, path)).body.offset === RUN * CHUNK + 300);
    expect(await isLeased(app, path)).toBe(false);
    const rest = whole.subarray(RUN * CHUNK + 300, (RUN + 1) * CHUNK);
    expect(code(await put(app, rest, { path, start: RUN * CHUNK + 300, total }))).toBe('200 uploading');
    await finish(app, path, RUN + 1);
  });

  it('are given back when a hook refuses the chunk', async () => {
    const path = await lingering();
    beforeChunk.mockImplementationOnce(() => {
      throw new UploadError('refused', 'Not now.');
    });
    expect(code(await send(app, path, RUN))).toBe('400 refused');
    expect(await isLeased(app, path)).toBe(false);
    expect(await openFiles()).toBe(0);
    await finish(app, path, RUN);
  });

  it('are given back when the database does not take the chunk', async () => {
    const path = await lingering();
    const gone = () => Promise.reject(new UploadError('database_unavailable', 'It restarts.'));
    jest.spyOn(app.type.engine.context.repositories.leases, 'commit').mockImplementationOnce(gone);
    expect(code(await send(app, path, RUN))).toBe('503 database_unavailable');
    expect(await isLeased(app, path)).toBe(false);
    expect(await openFiles()).toBe(0);
    await finish(app, path, RUN);
  });

  it('are extended while a slow chunk is received', async () => {
    const path = await lingering();
    const chunk = openPut(app, CHUNK, { path, start: RUN * CHUNK, total });
    const heldUntil = (await rowOf(app, path))?.lease_expires_at as Date;
    await chunk.send(whole.subarray(RUN * CHUNK, RUN * CHUNK + 300));
    await until(async () => ((await rowOf(app, path))?.lease_expires_at as Date) > heldUntil, PATIENCE_MS);
    await chunk.send(whole.subarray(RUN * CHUNK + 300, (RUN + 1) * CHUNK));
    chunk.end();
    expect(code(await chunk.answer)).toBe('200 uploading');
    await finish(app, path, RUN + 1);
  });

  it('are given back when the process closes', async () => {
    const brief = await startTestApp({ database: app.database, root: app.root });
    const path = await begin(brief, whole.subarray(0, CHUNK), total);
    await sendAll(brief, path, [1, RUN]);
    expect(await isLeased(app, path)).toBe(true);
    await brief.close();
    expect(await isLeased(app, path)).toBe(false);
    await finish(app, path, RUN);
  });

  it('are not kept where the app does not want it', async () => {
    const upload = { leaseLinger: 0, durability };
    const strict = await startTestApp({ upload, database: app.database, root: app.root });
    const path = await begin(strict, whole.subarray(0, CHUNK), total);
    for (let index = 1; index < 20; index++) {
      expect(code(await send(strict, path, index))).toBe('200 uploading');
      expect(await isLeased(strict, path)).toBe(false);
    }
    await strict.close();
  });
});
