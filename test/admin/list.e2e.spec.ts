import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { ADAPTERS, type TestApp } from '../support/test-app.js';
import { beginUpload, change, idsOf, look, startAdminApp } from './support/admin-app.js';

const HIDDEN = /lease_token|leaseToken|digest|storage|idempotency|completion|secret/i;

describe.each(ADAPTERS)('The admin list, on %s', (adapter) => {
  let app: TestApp;
  /** Ids by what they are, newest last. */
  const ids: Record<string, string> = {};
  const day = (n: number) => `2026-01-${String(n).padStart(2, '0')}T00:00:00Z`;

  beforeAll(async () => {
    app = await startAdminApp(adapter);
    const begin = async (name: string, n: number, options: Parameters<typeof beginUpload>[1], set = '') => {
      const id = await beginUpload(app, { filename: `${name}.bin`, ...options });
      const table = options?.path === '/films' ? 'film' : 'chunked_upload';
      await change(app, table, id, `created_at = '${day(n)}'${set && `, ${set}`}`);
      ids[name] = id;
    };
    const done = `status = 'complete', completed_at = '${day(20)}', size = 5, filename = '100%_Done\\x.BIN'`;
    await begin('plain', 1, { user: 'ann' }, `owner_type = 'album', owner_id = '7'`);
    await begin('film', 2, { path: '/films', user: '7' });
    await begin('done', 3, { user: 'bob' }, done);
    await begin('due', 4, { path: '/films', user: '8' }, 'expires_at = now()');
    await begin('failed', 5, { user: 'ann' }, `status = 'failed'`);
    await begin('deleting', 6, { user: 'ann' }, `status = 'deleting'`);
    await begin('deleted', 7, { user: 'ann' }, `status = 'deleting', storage_key = NULL`);
    await begin(
      'nobody',
      8,
      {},
      `lease_token = '${randomUUID()}', lease_holder = 'h', lease_expires_at = now()`,
    );
  });
  afterAll(() => app.close());

  const names = (found: string[]) => found.map((id) => Object.keys(ids).find((name) => ids[name] === id));
  const list = async (query: string) => names(idsOf(await look(app, query)));
  const all = ['nobody', 'deleted', 'deleting', 'failed', 'due', 'done', 'film', 'plain'];

  it('has the uploads of all types, merged, newest first, in pages', async () => {
    expect(await list('')).toEqual(all);
    for (const limit of [1, 2, 3, 7, 8]) {
      const found: string[] = [];
      for (let cursor: string | null = ''; cursor !== null;) {
        const page = await look(app, `?limit=${limit}${cursor && `&cursor=${cursor}`}`);
        expect(page.body.items.length).toBeLessThanOrEqual(limit);
        found.push(...idsOf(page));
        cursor = page.body.next_cursor;
      }
      expect([limit, names(found)]).toEqual([limit, all]);
    }
  });

  it('loses and repeats nothing where times and even ids are the same', async () => {
    const ties = await Promise.all([1, 2, 3].map(() => beginUpload(app, { user: 'tie' })));
    const filmTies = await Promise.all([1, 2, 3].map(() => beginUpload(app, { path: '/films', user: '77' })));
    const [same = '', other = ''] = [ties[0], filmTies[0]];
    await change(app, 'film', other, `id = '${same}'`);
    for (const [table, user] of [
      ['chunked_upload', `user_id = 'tie'`],
      ['film', 'producer_id = 77'],
    ])
      await app.dataSource.query(`UPDATE ${table} SET created_at = '${day(25)}' WHERE ${user}`);
    const found: string[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const page = await look(app, `?limit=1&created_after=${day(25)}${cursor && `&cursor=${cursor}`}`);
      found.push(...page.body.items.map(({ type, id }) => `${String(id)} ${String(type)}`));
      cursor = page.body.next_cursor;
    }
    expect(new Set(found).size).toBe(6);
    expect(found).toEqual(
      [...found].sort((a, b) => (a.slice(0, 36) === b.slice(0, 36) ? (a < b ? -1 : 1) : a < b ? 1 : -1)),
    );
    await app.dataSource.query(`DELETE FROM film WHERE producer_id = 77`);
    await app.dataSource.query(`DELETE FROM chunked_upload WHERE user_id = 'tie'`);
  });

  it.each([
    ['type=FilmUpload', ['due', 'film']],
    ['type=ChunkedUpload&status=complete', ['done']],
    ['status=uploading', ['nobody', 'due', 'film', 'plain']],
    ['status=completing', []],
    ['status=complete', ['done']],
    ['status=failed', ['failed']],
    ['status=expired', ['due']],
    ['status=deleting', ['deleting']],
    ['status=deleted', ['deleted']],
    ['user_id=ann', ['deleted', 'deleting', 'failed', 'plain']],
    ['user_id=7', ['film']],
    ['user_id=99999999999999999999', []],
    ['user_id=ann&status=failed', ['failed']],
    ['owner_type=album', ['plain']],
    ['owner_type=album&owner_id=7', ['plain']],
    ['owner_type=album&owner_id=8', []],
    ['owner_id=7', ['plain']],
    ['created_after=2026-01-07', ['nobody', 'deleted']],
    ['created_before=2026-01-02T00:00:00.000Z', ['plain']],
    ['created_after=2026-01-02T01:00:00%2B01:00&created_before=2026-01-03', ['film']],
    ['completed_after=2026-01-20', ['done']],
    ['completed_after=2026-01-21', []],
    ['completed_before=2026-01-21', ['done']],
    ['completed_before=2026-01-20', []],
    ['search=FAILED', ['failed']],
    ['search=.bin', all],
    ['search=100%25_', ['done']],
    ['search=%25', ['done']],
    ['search=_', ['done']],
    ['search=%5C', ['done']],
    ['search=%5C%5C', []],
  ])('finds by %s', async (query, expected) => expect(await list(`?${query}`)).toEqual(expected));

  it('finds by id, in any spelling', async () => {
    const { film = '' } = ids;
    expect(await list(`?search=${film}`)).toEqual(['film']);
    expect(await list(`?search=${film.replaceAll('-', '').toUpperCase()}`)).toEqual(['film']);
    expect(await list(`?search=${randomUUID()}`)).toEqual([]);
  });

  it('tells what is safe to tell', async () => {
    const answer = await look(app, '?search=nobody');
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(answer.body.items[0]).toEqual({
      type: 'ChunkedUpload',
      id: ids.nobody,
      filename: 'nobody.bin',
      content_type: 'application/octet-stream',
      offset: 5,
      size: 9,
      progress: 0.5555,
      status: 'uploading',
      user_id: null,
      owner_type: null,
      owner_id: null,
      checksums: {},
      metadata: {},
      generation: 0,
      lease: { held_until: expect.any(String), is_live: false, has_holder: true },
      created_at: '2026-01-08T00:00:00.000Z',
      updated_at: expect.any(String),
      completed_at: null,
      expires_at: expect.any(String),
      is_expired: false,
    });
    const [done] = (await look(app, '?status=complete')).body.items;
    expect(done).toMatchObject({
      progress: 1,
      expires_at: null,
      completed_at: '2026-01-20T00:00:00.000Z',
      lease: null,
    });
    const [film] = (await look(app, '?user_id=7')).body.items;
    expect(film).toMatchObject({ type: 'FilmUpload', user_id: '7' });
    const [due] = (await look(app, '?status=expired')).body.items;
    expect(due).toMatchObject({ is_expired: true });
    expect((await look(app)).bytes.toString()).not.toMatch(HIDDEN);
  });

  it('tells of one upload, and what the storage has of it', async () => {
    const path = `/ChunkedUpload/${ids.plain ?? ''}`;
    const answer = await look(app, path);
    expect([answer.status, answer.headers['cache-control']]).toEqual([200, 'no-store']);
    expect(answer.body.storage).toEqual({
      key: expect.stringMatching(ids.plain ?? '-'),
      bytes: 5,
      is_reachable: true,
    });
    expect(answer.bytes.toString()).not.toMatch(/token|digest|idempotency|completion/);
    expect((await look(app, `/ChunkedUpload/${ids.deleted ?? ''}`)).body).toMatchObject({
      status: 'deleted',
      storage: null,
    });
    const size = async () => Promise.reject(new Error('gone'));
    const { driver } = app.type.engine.context;
    Object.assign(driver, { size });
    expect((await look(app, path)).body.storage).toMatchObject({ bytes: null, is_reachable: false });
    Reflect.deleteProperty(driver, 'size');
  });

  it.each([
    ['FilmUpload', 'plain'],
    ['Film', 'plain'],
    ['__proto__', 'plain'],
    ['constructor', 'plain'],
    ['chunked_upload', 'plain'],
  ])('has no %s of that id', async (type, name) => {
    const answer = await look(app, `/${type}/${ids[name] ?? ''}`);
    expect([answer.status, answer.body.code]).toEqual([404, 'not_found']);
    expect(answer.headers['content-type']).toMatch('application/problem+json');
  });

  it.each(['x', '%00', "1'%20OR%201=1--", '..%2f..%2fetc', '0'.repeat(31)])(
    'has no upload %s',
    async (id) => {
      expect((await look(app, `/ChunkedUpload/${id}`)).status).toBe(404);
    },
  );

  it.each([
    ['type=Film', /There is no upload type "Film"; there are: ChunkedUpload, FilmUpload/],
    ['type=__proto__', /no upload type/],
    ["type=FilmUpload'--", /no upload type/],
    ['type=', /type must have 1 to 255/],
    ['status=Complete', /status must be one of: uploading/],
    ['status=__proto__', /status must be/],
    ['status=toString', /status must be/],
    ['user_id=', /user_id must have 1 to 255/],
    ['user_id=%00', /control characters/],
    ['search=a%00b', /control characters/],
    [`search=${'a'.repeat(256)}`, /search must have/],
    ['limit=0', /limit must be a whole number from 1 to 100/],
    ['limit=101', /limit must be/],
    ['limit=1e1', /limit must be/],
    ['limit=%201', /limit must be/],
    ['created_after=yesterday', /created_after must be a time like/],
    ['created_after=2026-02-30', /created_after must be/],
    ['created_after=2026-13-01', /created_after must be/],
    ['created_after=2026-01-01T00:00:00', /created_after must be/],
    ['created_before=2026-01-01T00:00:00+01:00', /%2B/],
    ['completed_before=1', /completed_before must be/],
    ['completed_after=2026', /completed_after must be/],
    ['cursor=', /cursor must be/],
    ['cursor=x', /cursor must be/],
    [`cursor=${Buffer.from("1 x'-- T").toString('base64url')}`, /cursor must be/],
    [`cursor=${Buffer.from(`-1 ${randomUUID()} T`).toString('base64url')}`, /cursor must be/],
    [`cursor=${Buffer.from(`1 ${randomUUID()}`).toString('base64url')}`, /cursor must be/],
    ['status=failed&status=failed', /given twice/],
    ['user[]=ann', /There is no "user\[\]" here, only type, status/],
    ['__proto__=1', /There is no "__proto__" here/],
    ['order=filename', /There is no "order" here/],
  ])('refuses %s', async (query, detail) => {
    const answer = await look(app, `?${query}`);
    expect([answer.status, answer.body.code]).toEqual([400, 'malformed_request']);
    expect(answer.body.detail).toMatch(detail);
  });

  it('takes a cursor from anywhere in time, and text for text', async () => {
    const cursor = (time: string) => Buffer.from(`${time} ${randomUUID()} Gone`).toString('base64url');
    expect(await list(`?cursor=${cursor('0')}`)).toEqual([]);
    expect(await list(`?cursor=${cursor('9'.repeat(15))}`)).toEqual(all);
    expect(await list(`?created_after=9999-12-31&created_before=0000-01-01`)).toEqual([]);
    for (const text of [
      "'; DROP TABLE film; --",
      "' OR '1'='1",
      '$1',
      '?',
      '\u{1F600}',
      '%D8%00'.slice(0, 3),
    ])
      for (const name of ['user_id', 'owner_type', 'owner_id', 'search'])
        expect(await list(`?${name}=${encodeURIComponent(text)}`)).toEqual([]);
    expect(await list('')).toEqual(all);
  });
});
