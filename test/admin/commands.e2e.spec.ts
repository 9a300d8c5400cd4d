import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { LocalStorage, UploadCleanup } from '../../src/index.js';
import { call, complete, openPut, put, until } from '../engine/support/client.js';
import { filesOf, isLeased } from '../engine/support/rows.js';
import { ADAPTERS, type TestApp } from '../support/test-app.js';
import { beginUpload, change, idsOf, look, remove, startAdminApp, tell } from './support/admin-app.js';

const DAY_MS = 24 * 60 * 60 * 1000;
const inDays = (days: number) => new Date(Date.now() + days * DAY_MS).toISOString();

describe.each(ADAPTERS)('Commands of the admin API, on %s', (adapter) => {
  let app: TestApp;

  beforeAll(async () => {
    app = await startAdminApp(adapter, {
      film: { maxBytes: 100, checksum: ['md5', 'sha256'], cleanup: '0 0 * * *' },
    });
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    for (const table of ['film', 'chunked_upload']) await app.dataSource.query(`DELETE FROM ${table}`);
  });
  afterAll(() => app.close());

  const state = async (id: string, type = 'ChunkedUpload') => {
    const { status, body } = await look(app, `/${type}/${id}`);
    return status === 200 ? body : null;
  };

  describe('delete', () => {
    it.each([
      ['unfinished', 'generation = 0'],
      ['expired', 'expires_at = now()'],
      ['complete', `status = 'complete', completed_at = now()`],
      ['completing', `status = 'completing'`],
      ['failed', `status = 'failed'`],
      ['half deleted', `status = 'deleting'`],
    ])('an upload that is %s, row and bytes, whoever has it', async (_, set) => {
      const id = await beginUpload(app, { user: 'ann' });
      await change(app, 'chunked_upload', id, set);
      const answer = await remove(app, `/ChunkedUpload/${id}`);
      expect([answer.status, answer.bytes.length, answer.headers['cache-control']]).toEqual([
        204,
        0,
        'no-store',
      ]);
      expect([await state(id), await filesOf(app, id)]).toEqual([null, []]);
      expect((await remove(app, `/ChunkedUpload/${id}`)).status).toBe(404);
    });

    it('the record of an expired one', async () => {
      const id = await beginUpload(app);
      await change(app, 'chunked_upload', id, `status = 'deleting', storage_key = NULL`);
      expect((await remove(app, `/ChunkedUpload/${id}`)).status).toBe(204);
      expect(await state(id)).toBeNull();
    });

    it('only of the type that is named', async () => {
      const id = await beginUpload(app);
      expect((await remove(app, `/FilmUpload/${id}`)).status).toBe(404);
      expect((await remove(app, `/Nothing/${id}`)).status).toBe(404);
      expect(await state(id)).toMatchObject({ id, status: 'uploading' });
    });

    it('while a chunk is being written: its writer is cut off, and nothing is left', async () => {
      const id = await beginUpload(app);
      const path = `/upload/${id}`;
      const writing = openPut(app, 4, { path, start: 5, total: 9 });
      await writing.send(Buffer.from('wo'));
      await until(() => isLeased(app, path));
      expect(await state(id)).toMatchObject({ lease: { is_live: true, has_holder: true } });
      expect((await remove(app, `/ChunkedUpload/${id}`)).status).toBe(204);
      expect((await writing.answer).status).toBe(404);
      expect([await state(id), await filesOf(app, id)]).toEqual([null, []]);
    });

    it('against a storage that fails, leaves the rest to cleanup', async () => {
      const id = await beginUpload(app);
      jest.spyOn(app.type.engine.context.driver, 'discard').mockRejectedValueOnce(new Error('EIO'));
      expect((await remove(app, `/ChunkedUpload/${id}`)).status).toBe(500);
      expect(await state(id)).toMatchObject({ status: 'deleting' });
      expect((await remove(app, `/ChunkedUpload/${id}`)).status).toBe(204);
    });
  });

  describe('extend', () => {
    const extend = (id: string, json: unknown, type = 'ChunkedUpload') =>
      tell(app, `/${type}/${id}/extend`, json);
    const daysLeft = (body: Readonly<Record<string, unknown>>) =>
      (new Date(String(body.expires_at)).getTime() - Date.now()) / DAY_MS;

    it('to a time, by a duration, and again', async () => {
      const id = await beginUpload(app);
      const until = inDays(3);
      const answer = await extend(id, { expires_at: until });
      expect([answer.status, answer.body.expires_at]).toEqual([200, until]);
      expect(daysLeft((await extend(id, { by: '2d', expires_at: null })).body)).toBeCloseTo(5, 2);
      expect(daysLeft((await extend(id, { by: '12h' })).body)).toBeCloseTo(5.5, 2);
      expect(daysLeft((await extend(id, { expires_at: inDays(1) })).body)).toBeCloseTo(1, 2);
    });

    it('brings back what expired and is still there, counted from now', async () => {
      const id = await beginUpload(app, { path: '/films', user: '7' });
      await change(app, 'film', id, `expires_at = now() - interval '9 days'`);
      expect((await call(app, `/films/${id}`, { headers: { 'x-user': '7' } })).status).toBe(410);
      const answer = await extend(id, { by: '2 days' }, 'FilmUpload');
      expect([answer.status, answer.body.is_expired]).toEqual([200, false]);
      expect(daysLeft(answer.body)).toBeCloseTo(2, 2);
      expect((await call(app, `/films/${id}`, { headers: { 'x-user': '7' } })).status).toBe(200);
    });

    it.each([
      [`status = 'complete', completed_at = now()`, 409, 'already_complete'],
      [`status = 'failed'`, 409, 'failed'],
      [`status = 'deleting'`, 404, 'not_found'],
      [`status = 'deleting', storage_key = NULL`, 404, 'not_found'],
    ])('refuses one with %s', async (set, status, code) => {
      const id = await beginUpload(app);
      await change(app, 'chunked_upload', id, set);
      const answer = await extend(id, { by: '2d' });
      expect([answer.status, answer.body.code]).toEqual([status, code]);
    });

    it('refuses what is not there', async () => {
      expect((await extend(randomUUID(), { by: '2d' })).status).toBe(404);
      expect((await extend('x', { by: '2d' })).status).toBe(404);
      expect((await extend(await beginUpload(app), { by: '2d' }, 'FilmUpload')).status).toBe(404);
    });

    it('does not wait for a completion that holds the row', async () => {
      const id = await beginUpload(app);
      const runner = app.dataSource.createQueryRunner();
      await runner.startTransaction();
      await runner.query('SELECT * FROM chunked_upload WHERE id = $1 FOR UPDATE', [id]);
      const answer = await extend(id, { by: '2d' });
      await runner.rollbackTransaction();
      await runner.release();
      expect([answer.status, answer.body.code, answer.headers['retry-after']]).toEqual([423, 'busy', '1']);
    });

    it.each([
      [{ expires_at: inDays(-1) }, /between now and 365 days/],
      [{ expires_at: inDays(366) }, /between now and 365 days/],
      [{ expires_at: '9999-12-31' }, /between now and 365 days/],
      [{ by: '365d' }, /between now and 365 days/],
      [{ by: '100y' }, /between now and 365 days/],
      [{ by: '999999999y' }, /by must be a duration/],
      [{ by: '0d' }, /by must be a duration/],
      [{ by: '-2d' }, /by must be a duration/],
      [{ by: '2' }, /by must be a duration/],
      [{ by: '2 apples' }, /by must be a duration/],
      [{ by: 2 }, /by must be a duration/],
      [{ by: ['2d'] }, /by must be a duration/],
      [{ by: { toString: '2d' } }, /by must be a duration/],
      [{ expires_at: 1 }, /expires_at must be a time/],
      [{ expires_at: '2099-02-30' }, /expires_at must be a time/],
      [{ expires_at: true }, /expires_at must be a time/],
      [{}, /either expires_at/],
      [{ by: null }, /either expires_at/],
      [{ by: '2d', expires_at: '2099-01-01' }, /either expires_at/],
      [
        { by: '2d', status: 'complete' },
        /There is no "status" here, only by, expires_at|only expires_at, by/,
      ],
      ['{"by":"2d","constructor":1}', /There is no "constructor" here/],
      [[], /JSON/],
      ['"2d"', /JSON/],
      ['null', /JSON|either/],
    ])('refuses %j', async (json, detail) => {
      const id = await beginUpload(app);
      const before = await state(id);
      const answer = await extend(id, json);
      expect(answer.status).toBe(400);
      // What the app's own body parser refuses it answers itself.
      if (answer.body.code !== undefined) expect(answer.body.detail).toMatch(detail);
      expect(await state(id)).toEqual(before);
    });

    it.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', ''])(
      'takes no %s, which other sites can send',
      async (type) => {
        const id = await beginUpload(app);
        const answer = await tell(app, `/ChunkedUpload/${id}/extend`, 'by=2d', { 'content-type': type });
        expect([400, 415]).toContain(answer.status);
      },
    );
  });

  describe('bulk', () => {
    const bulk = (json: unknown) => tell(app, '/bulk', json);

    it('deletes many, and says of each what became of it', async () => {
      const [one = '', two = '', three = ''] = [
        await beginUpload(app),
        await beginUpload(app, { path: '/films', user: '7' }),
        await beginUpload(app),
      ];
      const answer = await bulk({
        action: 'delete',
        items: [
          { type: 'ChunkedUpload', id: one },
          { type: 'FilmUpload', id: two.toUpperCase() },
          { type: 'FilmUpload', id: three },
          { type: '__proto__', id: three },
        ],
      });
      expect([answer.status, answer.body]).toEqual([
        200,
        {
          succeeded: 2,
          failed: 2,
          items: [
            { type: 'ChunkedUpload', id: one, ok: true },
            { type: 'FilmUpload', id: two, ok: true },
            {
              type: 'FilmUpload',
              id: three,
              ok: false,
              error: { code: 'not_found', detail: expect.any(String) },
            },
            {
              type: '__proto__',
              id: three,
              ok: false,
              error: { code: 'not_found', detail: expect.any(String) },
            },
          ],
        },
      ]);
      expect(idsOf(await look(app))).toEqual([three]);
    });

    it('extends many', async () => {
      const ids = [await beginUpload(app), await beginUpload(app)];
      await change(app, 'chunked_upload', ids[1] ?? '', `status = 'complete'`);
      const items = ids.map((id) => ({ type: 'ChunkedUpload', id }));
      const answer = await bulk({ action: 'extend', by: '2d', items });
      expect(answer.body).toMatchObject({
        succeeded: 1,
        failed: 1,
        items: [{ ok: true }, { ok: false, error: { code: 'already_complete' } }],
      });
    });

    it('goes on behind one that fails, without a word of why', async () => {
      const ids = await Promise.all([1, 2, 3, 4, 5, 6].map(() => beginUpload(app)));
      jest.spyOn(app.type.engine.context.driver, 'discard').mockRejectedValueOnce(new Error('/var/secret'));
      const answer = await bulk({
        action: 'delete',
        items: ids.map((id) => ({ type: 'ChunkedUpload', id })),
      });
      expect(answer.body).toMatchObject({ succeeded: 5, failed: 1 });
      expect(answer.bytes.toString()).toMatch('internal_error');
      expect(answer.bytes.toString()).not.toMatch('secret');
    });

    const item = { type: 'ChunkedUpload', id: randomUUID() };
    const many = (count: number) => Array.from({ length: count }, () => ({ ...item, id: randomUUID() }));
    it('takes a hundred', async () => {
      expect((await bulk({ action: 'delete', items: many(100) })).body).toMatchObject({ failed: 100 });
    });

    it.each([
      [{ action: 'drop', items: [item] }, /action must be one of: delete, extend/],
      [{ items: [item] }, /action must be/],
      [{ action: ['delete'], items: [item] }, /action must be/],
      [{ action: 'delete' }, /items must/],
      [{ action: 'delete', items: [] }, /items must not be empty/],
      [{ action: 'delete', items: many(101) }, /items must be at most 100/],
      [{ action: 'delete', items: item }, /items must be a list/],
      [{ action: 'delete', items: { 0: item, length: 1 } }, /items must be a list/],
      [{ action: 'delete', items: [null] }, /JSON object/],
      [{ action: 'delete', items: [[item]] }, /JSON object/],
      [{ action: 'delete', items: ['id'] }, /JSON object/],
      [{ action: 'delete', items: [item, item] }, /name each upload once/],
      [{ action: 'delete', items: [{ ...item, id: 7 }] }, /id of each item/],
      [{ action: 'delete', items: [{ ...item, id: '-'.repeat(32) }] }, /id of each item/],
      [{ action: 'delete', items: [{ ...item, id: [item.id] }] }, /id of each item/],
      [{ action: 'delete', items: [{ id: item.id }] }, /type of each item/],
      [{ action: 'delete', items: [{ ...item, type: { name: 'x' } }] }, /type of each item/],
      [{ action: 'delete', items: [{ ...item, by: '2d' }] }, /There is no "by" here/],
      [{ action: 'delete', by: '2d', items: [item] }, /not for delete/],
      [{ action: 'extend', items: [item] }, /either expires_at/],
      [{ action: 'extend', by: '2d', expires_at: inDays(1), items: [item] }, /either expires_at/],
    ])('refuses %j', async (json, detail) => {
      const answer = await bulk(json);
      expect([answer.status, answer.body.code]).toEqual([400, 'malformed_request']);
      expect(answer.body.detail).toMatch(detail);
    });

    it('does nothing at all when one item is wrong', async () => {
      const id = await beginUpload(app);
      await bulk({
        action: 'delete',
        items: [
          { type: 'ChunkedUpload', id },
          { type: 'ChunkedUpload', id: 'x' },
        ],
      });
      expect(await state(id)).not.toBeNull();
    });
  });

  it('usage counts what is there, by state, type and user', async () => {
    const ids = await Promise.all(
      ['ann', 'ann', 'bob', '', 'eve', 'eve'].map((user) => beginUpload(app, { user })),
    );
    const film = await beginUpload(app, { path: '/films', user: '7' });
    const set = (n: number, sql: string) => change(app, 'chunked_upload', ids[n] ?? '', sql);
    await set(0, `status = 'complete'`);
    await set(1, 'expires_at = now()');
    await set(2, `status = 'failed'`);
    await set(4, `status = 'deleting'`);
    await set(5, `status = 'deleting', storage_key = NULL`);
    await change(app, 'film', film, '"offset" = 9007199254740991');
    const answer = await look(app, '/usage?users=2');
    const none = { uploads: 0, bytes: 0 };
    const one = { uploads: 1, bytes: 5 };
    const nothing = { in_progress: none, complete: none, expired: none, failed: none, deleting: none };
    const big = { uploads: 1, bytes: 9007199254740991 };
    expect([answer.status, answer.body.types]).toEqual([
      200,
      [
        {
          type: 'ChunkedUpload',
          ...{ in_progress: one, complete: one, expired: one, failed: one, deleting: one },
          total: { uploads: 5, bytes: 25 },
          users: [
            { ...nothing, user_id: 'ann', complete: one, expired: one, total: { uploads: 2, bytes: 10 } },
            { ...nothing, user_id: 'bob', failed: one, total: one },
          ],
        },
        {
          ...nothing,
          type: 'FilmUpload',
          in_progress: big,
          total: big,
          users: [{ ...nothing, user_id: '7', in_progress: big, total: big }],
        },
      ],
    ]);
    expect(answer.body.total).toMatchObject({ in_progress: { uploads: 2 }, complete: one });
    for (const query of ['users=0', 'users=101', 'users=x', 'top=1'])
      expect((await look(app, `/usage?${query}`)).status).toBe(400);
  });

  it('usage of nothing is zero', async () => {
    expect((await look(app, '/usage')).body.total).toMatchObject({ total: { uploads: 0, bytes: 0 } });
  });

  it('types tells their routes and limits', async () => {
    expect((await look(app, '/types')).body.items).toMatchObject([
      {
        type: 'ChunkedUpload',
        routes: ['upload'],
        cleanup: null,
        checksums: ['md5'],
        limits: { max_bytes: null, min_bytes: 0 },
      },
      {
        type: 'FilmUpload',
        routes: ['films'],
        cleanup: '0 0 * * *',
        checksums: ['md5', 'sha256'],
        expires_in_seconds: 86_400,
        limits: { max_bytes: 100 },
      },
    ]);
  });

  describe('cleanup', () => {
    it('runs as it is told, and is remembered', async () => {
      const old = await beginUpload(app);
      const young = await beginUpload(app);
      const film = await beginUpload(app, { path: '/films', user: '7' });
      const stored = await beginUpload(app);
      await change(app, 'chunked_upload', stored, `status = 'complete', expires_at = now()`);
      await change(app, 'chunked_upload', old, `expires_at = now(), updated_at = now() - interval '2 days'`);
      const dry = await tell(app, '/cleanup', { dry_run: true });
      expect([dry.status, dry.body.last]).toMatchObject([
        200,
        {
          dry_run: true,
          finished_at: expect.any(String),
          report: { rows: 1, bytes: 5, types: { ChunkedUpload: { rows: 1 } } },
        },
      ]);
      expect((await look(app, '/cleanup')).body).toEqual(dry.body);
      expect((await tell(app, '/cleanup', { types: ['FilmUpload'] })).body.last).toMatchObject({
        report: { rows: 0 },
      });
      expect((await tell(app, '/cleanup', { older_than: '1d' })).body.last).toMatchObject({
        report: { rows: 1 },
        older_than: expect.any(String),
      });
      expect(idsOf(await look(app))).toEqual([stored, film, young]);
      expect((await tell(app, '/cleanup', { unfinished: true })).body.last).toMatchObject({
        report: { rows: 2 },
      });
      expect(idsOf(await look(app))).toEqual([stored]);
    });

    it('is one at a time, and can be looked at meanwhile', async () => {
      await change(app, 'chunked_upload', await beginUpload(app), 'expires_at = now()');
      const { driver } = app.type.engine.context;
      const discard = driver.discard.bind(driver);
      let go: () => void = () => undefined;
      const gate = new Promise<void>((resolve) => (go = resolve));
      const held = jest
        .spyOn(driver, 'discard')
        .mockImplementationOnce(async (upload) => gate.then(() => discard(upload)));
      const first = tell(app, '/cleanup', {});
      await until(() => held.mock.calls.length > 0);
      expect((await look(app, '/cleanup')).body.last).toMatchObject({ finished_at: null });
      const second = await tell(app, '/cleanup', {});
      expect([second.status, second.body.code]).toEqual([423, 'busy']);
      go();
      expect((await first).body.last).toMatchObject({ report: { rows: 1 }, error: null });
    });

    it('that fails is remembered, and is not in the way of the next', async () => {
      jest
        .spyOn(app.app.get(UploadCleanup, { strict: false }), 'run')
        .mockRejectedValueOnce(new Error('/secret'));
      expect((await tell(app, '/cleanup', {})).status).toBe(500);
      expect((await look(app, '/cleanup')).body.last).toMatchObject({
        error: 'internal_error',
        finished_at: expect.any(String),
      });
      expect((await tell(app, '/cleanup', {})).status).toBe(200);
    });

    it.each([
      [{ dry_run: 'true' }, /dry_run must be true or false/],
      [{ dry_run: 1 }, /dry_run must be/],
      [{ unfinished: 'yes' }, /unfinished must be/],
      [{ types: 'FilmUpload' }, /types must be a list/],
      [{ types: [] }, /types must not be empty/],
      [{ types: [7] }, /types must be a list/],
      [{ types: ['Film'] }, /no upload type "Film"/],
      [{ older_than: '3' }, /older_than must be a duration/],
      [{ older_than: '2026-01-01' }, /older_than must be a duration/],
      [{ older_than: '1d', unfinished: true }, /not both/],
      [{ dryRun: true }, /There is no "dryRun" here, only/],
    ])('refuses %j', async (json, detail) => {
      const before = (await look(app, '/cleanup')).body;
      const answer = await tell(app, '/cleanup', json);
      expect([answer.status, answer.body.code]).toEqual([400, 'malformed_request']);
      expect(answer.body.detail).toMatch(detail);
      expect((await look(app, '/cleanup')).body).toEqual(before);
    });
  });

  it('what clients do meanwhile is untouched by looking', async () => {
    const id = await beginUpload(app);
    const path = `/upload/${id}`;
    const writing = openPut(app, 4, { path, start: 5, total: 9 });
    await writing.send(Buffer.from('wo'));
    await until(() => isLeased(app, path));
    await Promise.all([look(app), look(app, '/usage'), look(app, `/ChunkedUpload/${id}`)]);
    expect((await tell(app, `/ChunkedUpload/${id}/extend`, { by: '1h' })).status).toBe(200);
    await writing.send(Buffer.from('rd'));
    writing.end();
    expect((await writing.answer).status).toBe(200);
    expect((await complete(app, path, Buffer.from('helloword'))).status).toBe(200);
  });

  it('says 503 when the database is away', async () => {
    const runs = jest
      .spyOn(app.dataSource, 'query')
      .mockRejectedValue(Object.assign(new Error('x'), { code: 'ECONNREFUSED' }));
    const answers = await Promise.all([
      look(app),
      look(app, '/usage'),
      look(app, `/FilmUpload/${randomUUID()}`),
    ]);
    runs.mockRestore();
    expect(answers.map(({ status, body }) => [status, body.code])).toEqual(
      Array(3).fill([503, 'database_unavailable']),
    );
  });

  it('needs the storage for nothing but bytes', async () => {
    const id = await beginUpload(app);
    jest.spyOn(LocalStorage.prototype, 'size').mockRejectedValue(new Error('gone'));
    expect((await look(app)).status).toBe(200);
    expect((await look(app, `/ChunkedUpload/${id}`)).body.storage).toMatchObject({ is_reachable: false });
    expect((await put(app, Buffer.from('word'), { path: `/upload/${id}`, start: 5, total: 9 })).status).toBe(
      200,
    );
  });
});
