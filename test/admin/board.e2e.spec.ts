import { afterEach, describe, expect, it } from '@jest/globals';
import { EventStream } from '../../src/admin/board/event-stream.js';
import { call } from '../engine/support/client.js';
import { eventually } from '../support/http.js';
import { ADAPTERS, type TestApp } from '../support/test-app.js';
import { type AdminSetup, beginUpload, change, remove, startAdminApp } from './support/admin-app.js';
import { EventReader } from './support/event-reader.js';

const ADMIN = { 'x-role': 'admin' };
const BROWSER = { ...ADMIN, accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8' };

describe('EventStream', () => {
  it('drops a client that does not read, and lets one big event pass', () => {
    const stream = new EventStream();
    stream.send('x'.repeat(2_000_000));
    expect(stream.destroyed).toBe(false);
    stream.send('y');
    expect(stream.destroyed).toBe(true);
    stream.send('z');
    stream.finish();
  });
});

describe.each(ADAPTERS)('The uploads board, on %s', (adapter) => {
  let app: TestApp | undefined;
  const readers: EventReader[] = [];
  afterEach(async () => {
    for (const reader of readers.splice(0)) reader.close();
    await app?.close();
    app = undefined;
  });
  const start = async ({ admin, ...setup }: AdminSetup = {}): Promise<TestApp> =>
    (app = await startAdminApp(adapter, { ...setup, admin: { board: true, ...admin } }));
  const follow = async ({ origin }: TestApp, query = ''): Promise<EventReader> => {
    const reader = await EventReader.open(`${origin}/admin/uploads/events${query}`, ADMIN);
    readers.push(reader);
    return reader;
  };

  it('is off unless it is turned on', async () => {
    app = await startAdminApp(adapter);
    const page = await call(app, '/admin/uploads', { headers: BROWSER });
    expect([page.status, page.headers['content-type']]).toEqual([200, 'application/json; charset=utf-8']);
    for (const path of ['/events', '/board/board.css', '/board/index.html']) {
      expect((await call(app, `/admin/uploads${path}`, { headers: ADMIN })).status).toBe(404);
    }
  });

  it.each([
    [BROWSER.accept, 'html'],
    ['text/html', 'html'],
    ['application/json;q=0.5, text/html', 'html'],
    ['application/json', 'json'],
    ['*/*', 'json'],
    ['text/html, application/json', 'json'],
    ['text/html;q=0', 'json'],
    ['text/html;q=much', 'json'],
  ])('answers who accepts %s with %s', async (accept, kind) => {
    const answer = await call(await start(), '/admin/uploads', { headers: { ...ADMIN, accept } });
    expect([answer.status, answer.headers.vary]).toEqual([200, 'Accept']);
    expect(answer.headers['content-type']).toMatch(kind);
  });

  it('is a page that loads its own files alone, wherever it stands', async () => {
    const started = await start({
      admin: { path: 'ops/files', readOnly: true },
      configure: (nest) => nest.setGlobalPrefix('api'),
    });
    const page = await call(started, '/api/ops/files?status=complete', { headers: BROWSER });
    expect(page.headers['content-security-policy']).toMatch(/^default-src 'none'; script-src 'self';/);
    const html = page.bytes.toString();
    expect(html).toContain('data-read-only="true"');
    const links = [...html.matchAll(/(?:href|src)="(?!data:)([^"]+)"/g)].map(([, link]) => link);
    expect(links).toEqual(['theme.css', 'board.css', 'main.js'].map((name) => `./files/board/${name}`));
    expect(html).not.toMatch(/\{\{|style=|<style|onclick/);
    for (const name of ['theme.css', 'board.css']) {
      const file = await call(started, `/api/ops/files/board/${name}`, { headers: ADMIN });
      expect([file.status, file.headers['content-type']]).toEqual([200, 'text/css; charset=utf-8']);
      const headers = { ...ADMIN, 'if-none-match': String(file.headers.etag) };
      expect((await call(started, `/api/ops/files/board/${name}`, { headers })).status).toBe(304);
    }
    const head = await call(started, '/api/ops/files', { method: 'HEAD', headers: BROWSER });
    expect([head.status, head.bytes.length]).toEqual([200, 0]);
  });

  it('has no other files, and nothing for others', async () => {
    const started = await start();
    for (const name of ['index.html', 'main.ts', '..%2f..%2findex.js', 'x.css', 'constructor']) {
      const answer = await call(started, `/admin/uploads/board/${name}`, { headers: ADMIN });
      expect([name, answer.status]).toEqual([name, 404]);
    }
    for (const path of ['', '/events', '/board/board.css']) {
      const headers = { accept: 'text/html' };
      expect((await call(started, `/admin/uploads${path}`, { headers })).status).toBe(401);
    }
    const post = await call(started, '/admin/uploads/events', { method: 'POST', headers: ADMIN });
    expect([post.status, post.headers.allow]).toEqual([405, 'GET, HEAD, OPTIONS']);
  });

  it('tells what changes on a page, deletions and leases too, and what there is in all', async () => {
    const started = await start();
    const first = await beginUpload(started, { filename: 'first.bin' });
    const reader = await follow(started, '?limit=2&type=ChunkedUpload');
    expect(reader.response.headers['content-type']).toMatch('text/event-stream');
    expect(reader.response.headers['cache-control']).toBe('no-store, no-transform');
    await reader.until('page', (data) =>
      expect(data).toMatchObject({ keys: [`ChunkedUpload/${first}`], next_cursor: null }),
    );
    await reader.until('counts', (data) =>
      expect(data).toMatchObject({ uploading: 1, complete: 0, expired: 0 }),
    );
    await change(
      started,
      'chunked_upload',
      first,
      `lease_token = id, lease_expires_at = now() + interval '1 hour'`,
    );
    await reader.until('page', (data) =>
      expect(data.changed).toMatchObject([{ id: first, lease: { is_live: true } }]),
    );
    const second = await beginUpload(started, { filename: 'second.bin' });
    await reader.until('page', (data) => {
      expect(data.keys).toEqual([`ChunkedUpload/${second}`, `ChunkedUpload/${first}`]);
      expect(data.changed).toMatchObject([{ id: second, offset: 5 }]);
    });
    await beginUpload(started, { filename: 'third.bin' });
    await reader.until('page', (data) => expect(data.next_cursor).not.toBeNull());
    await remove(started, `/ChunkedUpload/${second}`);
    await reader.until('page', (data) => expect((data.keys as string[])[1]).toBe(`ChunkedUpload/${first}`));
    const seen = reader.events.length;
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(reader.events.slice(seen).filter(({ event }) => event === 'page')).toEqual([]);
  });

  it('asks once for all who look at the same page, and no more when they are gone', async () => {
    const started = await start();
    await beginUpload(started);
    const { admin } = started.type.engine.context.repositories;
    let looks = 0;
    const list = admin.list.bind(admin);
    admin.list = (...parameters) => {
      looks++;
      return list(...parameters);
    };
    const all = await Promise.all(Array.from({ length: 5 }, () => follow(started, '?type=ChunkedUpload')));
    for (const reader of all) await reader.until('page', (data) => expect(data.keys).toHaveLength(1));
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    expect(looks).toBeGreaterThanOrEqual(2);
    expect(looks).toBeLessThanOrEqual(4);
    for (const reader of all) reader.close();
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    const before = looks;
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(looks).toBe(before);
  });

  it('says that there is trouble, and shows everything again when it is over', async () => {
    const started = await start();
    const id = await beginUpload(started);
    const { admin } = started.type.engine.context.repositories;
    const reader = await follow(started);
    await reader.until('page', (data) => expect(data.keys).toHaveLength(1));
    const list = admin.list.bind(admin);
    admin.list = () => Promise.reject(new Error('down'));
    await reader.until('trouble', (data) => expect(data).toEqual({ code: 'internal_error' }));
    admin.list = list;
    const before = reader.events.length;
    await eventually(() => {
      expect(reader.events.slice(before)).toContainEqual(expect.objectContaining({ event: 'page' }));
      return Promise.resolve();
    });
    await reader.until('page', (data) => expect(data.changed).toMatchObject([{ id }]));
  });

  it('refuses events about what cannot be listed, and answers HEAD without a body', async () => {
    const started = await start();
    for (const query of ['?type=Nothing', '?status=odd', '?limit=1000', '?cursor=x']) {
      const answer = await call(started, `/admin/uploads/events${query}`, { headers: ADMIN });
      expect([query, answer.status, answer.body.code]).toEqual([query, 400, 'malformed_request']);
    }
    const head = await call(started, '/admin/uploads/events', { method: 'HEAD', headers: ADMIN });
    expect([head.status, head.bytes.length]).toEqual([200, 0]);
  });

  it('does not keep the app from closing', async () => {
    const started = await start();
    const reader = await follow(started);
    const began = Date.now();
    await started.close();
    app = undefined;
    expect(Date.now() - began).toBeLessThan(2_000);
    await eventually(() => {
      expect(reader.hasEnded).toBe(true);
      return Promise.resolve();
    });
  });

  it('knows the cleanups by the clock', async () => {
    const started = await start({ upload: { cleanup: '* * * * * *' } });
    const id = await beginUpload(started);
    await change(started, 'chunked_upload', id, `expires_at = now() - interval '1 second'`);
    await eventually(async () => {
      const { body } = await call(started, '/admin/uploads/cleanup', { headers: ADMIN });
      expect(body).toMatchObject({ last: null });
      const [job] = (body as unknown as { scheduled: unknown[] }).scheduled;
      expect(job).toMatchObject({
        type: 'ChunkedUpload',
        cron: '* * * * * *',
        last: { error: null, dry_run: false },
      });
      expect(await started.rows()).toEqual([]);
    });
  });
});
