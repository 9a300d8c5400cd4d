import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ConflictException } from '@nestjs/common';
import { type AbstractChunkedUpload, type CompletionContext, LocalStorage } from '../../src/index.js';
import { FaultInjectingDriver } from '../../src/testing/index.js';
import type { EntityManager } from 'typeorm';
import { createDatabase, startTestApp, type TestApp, type TestDatabase } from '../support/test-app.js';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Answer,
  begin,
  call,
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
import { filesOf, idOf, isLeased, rowOf, setRow, statementsOf } from './support/rows.js';

/** The end of an upload: exactly one winner, everything or nothing, and nothing left behind. */
describe('completion', () => {
  let app: TestApp;
  let other: TestApp;
  let database: TestDatabase;
  let root: string;
  let storage: FaultInjectingDriver;
  let beforeComplete: () => Promise<void>;
  let onComplete: (upload: AbstractChunkedUpload, context: CompletionContext<EntityManager>) => unknown;
  const bytes = someBytes(20_000);
  const total = bytes.length;

  beforeAll(async () => {
    database = await createDatabase();
    root = await mkdtemp(join(tmpdir(), 'completion-'));
    storage = new FaultInjectingDriver(new LocalStorage({ root }));
    const upload = {
      storage,
      leaseTtl: '900ms',
      beforeComplete: () => beforeComplete(),
      onComplete: (given: AbstractChunkedUpload, context: CompletionContext<EntityManager>) =>
        onComplete(given, context),
    };
    app = await startTestApp({ upload, database, root });
    other = await startTestApp({ upload, database, root });
    await app.dataSource.query('CREATE TABLE audit (upload_id uuid)');
  });
  beforeEach(() => {
    beforeComplete = () => Promise.resolve();
    onComplete = async ({ id }, { manager }) => {
      await manager.query('INSERT INTO audit VALUES ($1)', [id]);
    };
  });
  afterEach(() => {
    storage.letGo();
    jest.restoreAllMocks();
  });
  afterAll(async () => {
    await other.close();
    await app.close();
    await database.drop();
    await rm(root, { recursive: true, force: true });
  });

  const code = ({ status, body }: Answer) => `${status} ${String(body.code ?? body.status)}`;
  const effects = async (path: string) => {
    const [row] = await app.dataSource.query<{ count: number }[]>(
      'SELECT count(*)::int AS count FROM audit WHERE upload_id = $1',
      [idOf(path)],
    );
    return row?.count;
  };

  async function expectComplete(path: string): Promise<void> {
    expect((await detail(app, path)).body).toMatchObject({
      status: 'complete',
      checksums: { md5: md5(bytes) },
    });
    expect((await content(app, path)).equals(bytes)).toBe(true);
    expect(await effects(path)).toBe(1);
    expect(await filesOf(app, path)).toHaveLength(1);
  }

  describe('alone', () => {
    it('reads no byte of the file, and needs two statements besides its transaction', async () => {
      const path = await begin(app, bytes, total);
      const before = storage.calls.length;
      onComplete = () => undefined;
      const statements = await statementsOf(app, () => complete(app, path, bytes));
      expect(storage.calls.slice(before)).toEqual(['finish']);
      expect(statements).toHaveLength(4);
      expect(code(await complete(app, path, bytes))).toBe('200 complete');
    });

    it('without a hook, needs two statements in all', async () => {
      const plain = await startTestApp({ upload: { storage }, database, root });
      try {
        const path = await begin(plain, bytes, total);
        const statements = await statementsOf(plain, () => complete(plain, path, bytes));
        expect(statements).toHaveLength(2);
        expect((await detail(plain, path)).body).toMatchObject({
          status: 'complete',
          checksums: { md5: md5(bytes) },
        });
      } finally {
        await plain.close();
      }
    });

    it('takes one connection, however long its hook takes', async () => {
      const path = await begin(app, bytes, total);
      onComplete = () => sleep(1200);
      const statements = await statementsOf(app, () => complete(app, path, bytes));
      expect(statements).toHaveLength(4);
      await until(async () => (await detail(app, path)).body.status === 'complete');
    });

    it('is not waited for by who would delete it: 423 at once, and no connection held', async () => {
      let end = () => {};
      onComplete = () => new Promise<void>((resolve) => (end = resolve));
      const path = await begin(app, bytes, total);
      const completion = complete(app, path, bytes);
      await until(async () => (await detail(app, path)).body.status === 'completing');
      await sleep(100);
      const cancels = await Promise.all(Array.from({ length: 12 }, () => cancel(other, path)));
      expect(cancels.map(({ status, body }) => [status, body.code])).toEqual(
        Array.from({ length: 12 }, () => [423, 'busy']),
      );
      expect((await detail(other, path)).status).toBe(200);
      end();
      expect((await completion).body.status).toBe('complete');
      expect((await cancel(other, path)).status).toBe(204);
      expect((await detail(other, path)).status).toBe(404);
    });

    it('refuses what is incomplete and what has another checksum, and changes nothing', async () => {
      const path = await begin(app, bytes.subarray(0, 5000), total);
      const row = await rowOf(app, path);
      const refused = await complete(app, path, bytes);
      expect(refused).toMatchObject({ status: 400, body: { code: 'incomplete', expected_offset: 5000 } });
      expect(await rowOf(app, path)).toEqual(row);
      expect((await put(app, bytes.subarray(5000), { path, start: 5000, total })).status).toBe(200);
      expect(code(await complete(app, path, someBytes(10)))).toBe('400 checksum_mismatch');
      expect(code(await detail(app, path))).toBe('200 uploading');
      expect(await effects(path)).toBe(0);
      expect(code(await complete(app, path, bytes))).toBe('200 complete');
      await expectComplete(path);
    });

    it('repeated, gives the same answer and runs no hook again; with another checksum it is refused', async () => {
      const path = await begin(app, bytes, total);
      const answers = [await complete(app, path, bytes), await complete(other, path, bytes)];
      expect({ ...answers[0]?.body, url: '' }).toEqual({ ...answers[1]?.body, url: '' });
      expect(code(await complete(app, path, someBytes(10)))).toBe('400 checksum_mismatch');
      expect(code(await put(app, bytes, { path, total }))).toBe('400 already_complete');
      await expectComplete(path);
    });

    it('a hook that fails leaves nothing of itself, and the completion can be repeated', async () => {
      const path = await begin(app, bytes, total);
      const good = onComplete;
      onComplete = async (upload, context) => {
        await good(upload, context);
        throw new Error('The hook fails.');
      };
      expect((await complete(app, path, bytes)).status).toBe(500);
      expect(code(await detail(app, path))).toBe('200 uploading');
      expect(await effects(path)).toBe(0);
      onComplete = good;
      expect(code(await complete(other, path, bytes))).toBe('200 complete');
      await expectComplete(path);
    });

    it('a hook’s refusal stays its own, whatever words it uses', async () => {
      const path = await begin(app, bytes, total);
      for (const refusal of [
        new ConflictException('The sale has ended.'),
        Object.assign(new ConflictException('The bank does not answer.'), { code: 'ECONNREFUSED' }),
      ]) {
        onComplete = () => Promise.reject(refusal);
        const { status, body } = await complete(app, path, bytes);
        expect([status, body.detail]).toEqual([409, refusal.message]);
      }
      expect(code(await detail(app, path))).toBe('200 uploading');
    });

    it('what a hook returns is the answer, of every repetition too', async () => {
      onComplete = () => ({ hello: ['world'] });
      const path = await begin(app, bytes, total);
      for (const target of [app, other, app]) {
        expect((await complete(target, path, bytes)).body).toEqual({ hello: ['world'] });
      }
    });

    it.each(['before', 'after', 'short'] as const)(
      'a storage that fails %s its work is tried again',
      async (kind) => {
        const path = await begin(app, bytes, total);
        storage.fail({ kind, at: 1, calls: ['finish'] });
        const failed = await complete(app, path, bytes);
        expect(code(failed)).toBe('503 storage_unavailable');
        expect(failed.headers['retry-after']).toBe('1');
        expect(await effects(path)).toBe(0);
        expect(code(await complete(app, path, bytes))).toBe('200 complete');
        await expectComplete(path);
      },
    );

    it('whose commit is lost on the way is repeated with the same answer', async () => {
      const path = await begin(app, bytes, total);
      const { completions } = app.type.engine.context.repositories;
      const real = completions.completeWith.bind(completions);
      jest.spyOn(completions, 'completeWith').mockImplementationOnce(async (...given) => {
        await real(...given);
        throw Object.assign(new Error('Connection terminated unexpectedly'));
      });
      expect((await complete(app, path, bytes)).status).toBeGreaterThanOrEqual(500);
      expect(code(await complete(other, path, bytes))).toBe('200 complete');
      await expectComplete(path);
    });
  });

  describe('against itself', () => {
    it('ten at once, in two processes: each answers 200 or 423, and it happens once', async () => {
      for (let round = 0; round < 15; round++) {
        const path = await begin(app, bytes, total);
        const answers = await Promise.all(
          Array.from({ length: 10 }, (_, index) => complete(index % 3 ? app : other, path, bytes)),
        );
        const codes = new Set(answers.map(code));
        expect([...codes].filter((given) => given !== '200 complete' && given !== '423 busy')).toEqual([]);
        expect(codes).toContain('200 complete');
        await expectComplete(path);
      }
    });

    it('a running completion is not disturbed by a second one, however long it takes', async () => {
      const path = await begin(app, bytes, total);
      beforeComplete = () => sleep(2000);
      const running = complete(app, path, bytes);
      await until(() => isLeased(app, path));
      for (const target of [app, other, app]) {
        await sleep(300);
        expect(code(await complete(target, path, bytes))).toBe('423 busy');
      }
      expect(code(await running)).toBe('200 complete');
      await expectComplete(path);
    });

    it('a running completion is not disturbed by a chunk', async () => {
      const path = await begin(app, bytes, total);
      beforeComplete = () => sleep(300);
      const running = complete(app, path, bytes);
      await until(() => isLeased(app, path));
      expect(code(await put(app, bytes.subarray(0, 10), { path, start: total, total: total + 10 }))).toBe(
        '423 busy',
      );
      expect(code(await running)).toBe('200 complete');
      await expectComplete(path);
    });

    it('a completion that slept beyond its lease does not complete in the name of its successor', async () => {
      const path = await begin(app, bytes, total);
      beforeComplete = () => sleep(500);
      const sleeper = complete(app, path, bytes);
      await until(() => isLeased(app, path));
      await setRow(app, path, `lease_expires_at = now() - interval '1 second', lease_holder = 'asleep'`);
      beforeComplete = () => sleep(900);
      const successor = complete(other, path, bytes);
      expect(code(await sleeper)).toBe('423 taken_over');
      expect((await rowOf(app, path))?.status).toBe('completing');
      expect(code(await successor)).toBe('200 complete');
      await expectComplete(path);
    });

    it('a completion by a process that is gone is taken over when its lease is over', async () => {
      const path = await begin(app, bytes, total);
      const lease = `lease_token = gen_random_uuid(), lease_holder = 'elsewhere'`;
      await setRow(
        app,
        path,
        `status = 'completing', ${lease}, lease_expires_at = now() + interval '700 ms'`,
      );
      const refused = await complete(app, path, bytes);
      expect([code(refused), refused.headers['retry-after']]).toEqual(['423 busy', '1']);
      await until(async () => (await complete(app, path, bytes)).status === 200, 3000);
      await expectComplete(path);
    });
  });

  describe('against a chunk', () => {
    it('a chunk still under way is not complete yet; when it is only being committed, it is waited for', async () => {
      const path = await begin(app, bytes.subarray(0, 5000), total);
      const chunk = openPut(app, total - 5000, { path, start: 5000, total });
      await chunk.send(bytes.subarray(5000, 9000));
      await until(() => isLeased(app, path));
      expect(code(await complete(app, path, bytes))).toBe('400 incomplete');
      const { leases } = app.type.engine.context.repositories;
      const commit = leases.commit.bind(leases);
      jest.spyOn(leases, 'commit').mockImplementationOnce(async (given) => {
        await sleep(200);
        return commit(given);
      });
      await chunk.send(bytes.subarray(9000));
      chunk.end();
      await sleep(50);
      expect(code(await complete(app, path, bytes))).toBe('200 complete');
      expect((await chunk.answer).status).toBe(200);
      await expectComplete(path);
    });
  });

  describe('against a cancellation', () => {
    async function expectNothing(path: string): Promise<void> {
      expect((await detail(app, path)).status).toBe(404);
      expect(await rowOf(app, path)).toBeNull();
      expect(await filesOf(app, path)).toEqual([]);
    }

    it('complete × cancel, in one process and in two: nothing fails, and the cancelled one is gone', async () => {
      for (let round = 0; round < 20; round++) {
        const path = await begin(app, bytes, total);
        const completing = complete(app, path, bytes);
        await sleep(round % 5);
        const from = round % 2 ? app : other;
        const cancelled = await cancel(from, path);
        if (cancelled.status === 423) {
          expect(code(await completing)).toBe('200 complete');
          expect((await cancel(from, path)).status).toBe(204);
        } else expect(cancelled.status).toBe(204);
        expect(['200 complete', '404 not_found', '423 taken_over', '423 busy']).toContain(
          code(await completing),
        );
        await expectNothing(path);
      }
    });

    it('a forked upload, too, leaves nothing', async () => {
      for (let round = 0; round < 10; round++) {
        const path = await begin(app, bytes, total);
        await setRow(app, path, `lease_token = gen_random_uuid(), lease_expires_at = now()`);
        const completing = complete(app, path, bytes);
        await sleep(round % 5);
        expect((await cancel(other, path)).status).toBe(204);
        expect((await completing).status).toBeLessThan(500);
        await expectNothing(path);
      }
    });

    it('chunk × cancel in one process: the chunk ends, and nothing is left', async () => {
      const path = await begin(app, bytes.subarray(0, 5000), total);
      const chunk = openPut(app, total - 5000, { path, start: 5000, total });
      await chunk.send(bytes.subarray(5000, 9000));
      await until(() => isLeased(app, path));
      expect((await cancel(app, path)).status).toBe(204);
      expect(code(await chunk.answer)).toBe('404 not_found');
      await expectNothing(path);
    });

    it('chunk × cancel from another process: the chunk ends soon, and nothing is left', async () => {
      const path = await begin(app, bytes.subarray(0, 5000), total);
      const chunk = openPut(app, total - 5000, { path, start: 5000, total });
      await chunk.send(bytes.subarray(5000, 9000));
      await until(() => isLeased(app, path));
      expect((await cancel(other, path)).status).toBe(204);
      expect([404, 423]).toContain((await chunk.answer).status);
      await expectNothing(path);
    });

    it('chunk × cancel from another process, the chunk being all there: nothing fails and nothing is left', async () => {
      for (let round = 0; round < 10; round++) {
        const path = await begin(app, bytes.subarray(0, 5000), total);
        if (round % 2) await setRow(app, path, `lease_token = gen_random_uuid(), lease_expires_at = now()`);
        const chunk = put(app, bytes.subarray(5000), { path, start: 5000, total });
        await sleep(round % 4);
        const cancelled = await cancel(other, path);
        expect(cancelled.status).toBe(204);
        expect([200, 404, 423]).toContain((await chunk).status);
        await expectNothing(path);
      }
    });

    it('a deletion whose storage fails stays "deleting", is seen by nobody, and can be repeated', async () => {
      const path = await begin(app, bytes, total);
      storage.fail({ kind: 'before', at: 1, calls: ['discard'] });
      expect(code(await cancel(app, path))).toBe('503 storage_unavailable');
      expect((await rowOf(app, path))?.status).toBe('deleting');
      expect((await detail(app, path)).status).toBe(404);
      expect(code(await complete(app, path, bytes))).toBe('404 not_found');
      const { body } = await call(app, '/upload?limit=100');
      expect((body.items as { id: string }[]).some(({ id }) => id === idOf(path))).toBe(false);
      expect((await cancel(app, path)).status).toBe(204);
      await expectNothing(path);
    });
  });
});
