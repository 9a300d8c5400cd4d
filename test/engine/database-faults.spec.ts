import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { createDatabase, startTestApp, type TestApp, type TestDatabase } from '../support/test-app.js';
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
import { type DatabaseProxy, startDatabaseProxy } from './support/database-proxy.js';
import { filesOf, isLeased, rowOf, statementsOf } from './support/rows.js';

/** What is used of a pool of `pg`. */
interface Pool {
  readonly options: { max: number };
  readonly totalCount: number;
  readonly idleCount: number;
  readonly waitingCount: number;
}

/** The database: how little of it a chunk needs, and what happens when it goes away. */
describe('the database', () => {
  let app: TestApp;
  let database: TestDatabase;
  let proxy: DatabaseProxy;
  const first = someBytes(1000);
  const rest = someBytes(10_000);
  const total = 11_000;
  const whole = Buffer.concat([first, rest]);
  const code = ({ status, body }: Answer) => `${status} ${String(body.code ?? body.status)}`;

  beforeAll(async () => {
    database = await createDatabase();
    proxy = await startDatabaseProxy(database.url);
    app = await startTestApp({ database: { ...database, url: proxy.url } });
  });
  afterEach(() => proxy.restore());
  afterAll(async () => {
    await app.close();
    await proxy.close();
    await database.drop();
  });

  async function finish(path: string): Promise<void> {
    const { offset } = (await detail(app, path)).body as { offset: number };
    if (offset < total) {
      const bytes = whole.subarray(offset);
      expect((await put(app, bytes, { path, start: offset, total })).status).toBe(200);
    }
    expect(code(await complete(app, path, whole))).toBe('200 complete');
    expect((await content(app, path)).equals(whole)).toBe(true);
  }

  describe('is asked little', () => {
    it('two statements for a chunk, the first or a later one; one for a look', async () => {
      let path = '';
      const creating = await statementsOf(app, async () => (path = await begin(app, first, total)));
      expect(creating.map((sql) => sql.trim().slice(0, 6))).toEqual(['INSERT', 'UPDATE']);
      const appending = await statementsOf(app, () => put(app, rest, { path, start: 1000, total }));
      expect(appending.map((sql) => sql.trim().slice(0, 6))).toEqual(['UPDATE', 'UPDATE']);
      expect(await statementsOf(app, () => detail(app, path))).toHaveLength(1);
      const refusing = await statementsOf(app, () => put(app, rest, { path, start: 5, total }));
      expect(refusing.map((sql) => sql.trim().slice(0, 6))).toEqual(['UPDATE', 'SELECT']);
    });

    it.each([
      ['a pooler gave the connection another session', 'DEALLOCATE ALL'],
      ['a column was added', 'ALTER TABLE chunked_upload ADD COLUMN "added" text'],
      ['the type of a column changed', 'ALTER TABLE chunked_upload ALTER COLUMN filename TYPE varchar(1000)'],
    ])('prepared statements do not stand in the way after %s', async (_, change) => {
      const path = await begin(app, first, total);
      await put(app, rest.subarray(0, 10), { path, start: 1000, total });
      // By the connection that was used last, which is used next.
      await app.dataSource.query(change);
      const answer = await put(app, rest.subarray(10), { path, start: 1010, total });
      expect(code(answer)).toBe('200 uploading');
      expect((await detail(app, path)).status).toBe(200);
    });

    it('no connection is held while bytes flow: a pool of two, twenty slow clients, quick answers', async () => {
      const pool = (app.dataSource.driver as unknown as { master: Pool }).master;
      const max = pool.options.max;
      pool.options.max = 2;
      try {
        const path = await begin(app, first, total);
        const paths = await Promise.all(Array.from({ length: 20 }, () => begin(app, first, total)));
        const slow = paths.map((slowPath) =>
          openPut(app, rest.length, { path: slowPath, start: 1000, total }),
        );
        await Promise.all(slow.map((chunk) => chunk.send(rest.subarray(0, 5000))));
        await until(async () => (await Promise.all(paths.map((each) => isLeased(app, each)))).every(Boolean));
        expect([pool.waitingCount, pool.totalCount - pool.idleCount]).toEqual([0, 0]);
        const asked = Date.now();
        for (let count = 0; count < 20; count++) expect((await detail(app, path)).status).toBe(200);
        expect(Date.now() - asked).toBeLessThan(1000);
        await Promise.all(
          slow.map(async (chunk) => {
            await chunk.send(rest.subarray(5000));
            chunk.end();
            expect((await chunk.answer).status).toBe(200);
          }),
        );
      } finally {
        pool.options.max = max;
      }
    });
  });

  describe('goes away', () => {
    it('every request is told 503 and when to come back, leaves nothing, and works again afterwards', async () => {
      const path = await begin(app, first, total);
      const files = await app.files();
      proxy.cut();
      for (const answer of [
        await detail(app, path),
        await put(app, first, { total }),
        await put(app, rest, { path, start: 1000, total }),
        await complete(app, path, whole),
        await cancel(app, path),
        await detail(app, '/upload'),
      ]) {
        expect(code(answer)).toBe('503 database_unavailable');
        expect(answer.headers['retry-after']).toBe('2');
        expect(JSON.stringify(answer.body)).not.toMatch(/ECONN|127\.0\.0\.1|select|update/i);
      }
      expect(await app.files()).toEqual(files);
      proxy.restore();
      await finish(path);
    });

    it('in the middle of a chunk, and is back for its commit: nobody notices', async () => {
      const path = await begin(app, first, total);
      const chunk = openPut(app, rest.length, { path, start: 1000, total });
      await chunk.send(rest.subarray(0, 5000));
      await until(() => isLeased(app, path));
      proxy.cut();
      await sleep(50);
      proxy.restore();
      await chunk.send(rest.subarray(5000));
      chunk.end();
      expect((await chunk.answer).status).toBe(200);
      await finish(path);
    });

    it('ahead of the commit: 503, the chunk does not count, and can be sent again at once', async () => {
      const path = await begin(app, first, total);
      const chunk = openPut(app, rest.length, { path, start: 1000, total });
      await chunk.send(rest.subarray(0, 5000));
      await until(() => isLeased(app, path));
      proxy.cut();
      await chunk.send(rest.subarray(5000));
      chunk.end();
      expect(code(await chunk.answer)).toBe('503 database_unavailable');
      proxy.restore();
      expect((await detail(app, path)).body.offset).toBe(1000);
      await finish(path);
      expect((await rowOf(app, path))?.generation).toBe(0);
    });

    it('with the answer to the claim: the lease that nobody knows of is not waited for', async () => {
      const path = await begin(app, first, total);
      proxy.loseAnswerTo('lease_token = $1');
      expect((await put(app, rest, { path, start: 1000, total })).status).toBe(503);
      expect(await isLeased(app, path)).toBe(true);
      await finish(path);
      expect((await rowOf(app, path))?.generation).toBe(0);
    });

    it('with the answer to the commit: 503, but the chunk counts, and the offset says so', async () => {
      const path = await begin(app, first, total);
      proxy.loseAnswerTo('"offset" = $3');
      const answer = await put(app, rest, { path, start: 1000, total });
      expect([200, 503]).toContain(answer.status);
      expect((await detail(app, path)).body.offset).toBe(total);
      expect((await put(app, rest, { path, start: 1000, total })).body.code).toBe('offset_mismatch');
      await finish(path);
    });

    it('with the answer to a creation: the client learns no url, and nothing is left', async () => {
      const [rows, files] = [(await app.rows()).length, await app.files()];
      for (const lost of ['INSERT INTO', '"offset" = $3']) {
        proxy.loseAnswerTo(lost);
        const answer = await put(app, first, { total });
        if (answer.status === 200) await cancel(app, `/upload/${String(answer.body.id)}`);
        else expect(code(answer)).toBe('503 database_unavailable');
      }
      expect((await app.rows()).length).toBe(rows);
      expect(await app.files()).toEqual(files);
    });

    it.each([`status = 'complete'`, `status = 'completing'`])(
      'with the answer to %s: the completion is repeated with success',
      async (statement) => {
        const path = await begin(app, whole, total);
        proxy.loseAnswerTo(statement);
        expect((await complete(app, path, whole)).status).toBe(503);
        await finish(path);
      },
    );

    it('with the answer to the COMMIT of a hook: the hook is not run again, its answer is given again', async () => {
      let runs = 0;
      const upload = { onComplete: () => ({ run: ++runs }) };
      const hooked = await startTestApp({
        upload,
        database: { ...database, url: proxy.url },
        root: app.root,
      });
      try {
        for (const statement of ['COMMIT', `status = 'complete'`]) {
          runs = 0;
          const path = await begin(hooked, whole, total);
          proxy.loseAnswerTo(statement);
          expect((await complete(hooked, path, whole)).status).toBe(503);
          const again = await complete(hooked, path, whole);
          expect([again.status, again.body]).toEqual([200, { run: 1 }]);
          expect((await content(app, path)).equals(whole)).toBe(true);
        }
      } finally {
        await hooked.close();
      }
    });

    it('with the answer to a cancellation: it is repeated with success', async () => {
      for (const statement of [`status = 'deleting'`, 'DELETE FROM']) {
        const path = await begin(app, first, total);
        proxy.loseAnswerTo(statement);
        expect((await cancel(app, path)).status).toBe(503);
        expect([204, 404]).toContain((await cancel(app, path)).status);
        expect(await filesOf(app, path)).toEqual([]);
        expect(await rowOf(app, path)).toBeNull();
      }
    });

    it('by an administrator who ends its sessions', async () => {
      const path = await begin(app, first, total);
      const chunk = openPut(app, rest.length, { path, start: 1000, total });
      await chunk.send(rest.subarray(0, 5000));
      await until(() => isLeased(app, path));
      await app.dataSource
        .query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()`)
        .catch(() => undefined);
      const answers = [await detail(app, path), await detail(app, path)];
      for (const { status } of answers) expect([200, 503]).toContain(status);
      await chunk.send(rest.subarray(5000));
      chunk.end();
      expect([200, 503]).toContain((await chunk.answer).status);
      await finish(path);
    });

    it('for good: a database that was dropped is 503, too', async () => {
      const gone = await createDatabase();
      const lost = await startTestApp({ database: gone });
      const path = await begin(lost, first, total);
      await gone.drop();
      const answers = [await detail(lost, path), await detail(lost, path), await put(lost, first, { total })];
      await lost.close();
      expect(answers.map(code)).toEqual(Array(3).fill('503 database_unavailable'));
    });
  });
});
