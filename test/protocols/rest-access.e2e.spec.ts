import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type CanActivate, type ExecutionContext, UnauthorizedException } from '@nestjs/common';
import { BasicAuthGuard, type ChunkedUploadOptions } from '../../src/index.js';
import { type Answer, file, form, type Json, md5, RawConnection, UploadClient } from '../support/http.js';
import { ADAPTERS, startTestApp, type TestApp } from '../support/test-app.js';

const UNKNOWN_ID = '01234567-89ab-4cde-8f01-23456789abcd';
const SUM = md5('content');

interface GuardedRequest {
  readonly headers: Readonly<Record<string, string | undefined>>;
  user?: { id: string };
}

/** Takes the caller's word; `x-user: nobody` is let in without a user, `blocked` and `expired` not at all. */
class HeaderGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<GuardedRequest>();
    const user = request.headers['x-user'];
    if (user === 'expired') throw new UnauthorizedException('The token has expired.');
    if (user && user !== 'nobody') request.user = { id: user };
    return user !== 'blocked';
  }
}

describe.each(ADAPTERS)('Access on %s', (adapter) => {
  let app: TestApp;
  let ann: UploadClient;
  let bob: UploadClient;

  const start = (upload: Partial<ChunkedUploadOptions>) =>
    startTestApp({ adapter, upload: { anonymous: false, ...upload } });
  const clientOf = ({ origin }: TestApp, user: string) =>
    new UploadClient(`${origin}/upload`, { 'x-user': user });
  const codeOf = ({ status, json }: Pick<Answer, 'status' | 'json'>) => [status, json.code];

  beforeAll(async () => {
    app = await startTestApp({
      adapter,
      upload: { anonymous: false, guards: [HeaderGuard] },
    });
    ann = clientOf(app, 'ann');
    bob = clientOf(app, 'bob');
  });
  afterAll(() => app.close());

  const rowOf = async (id: unknown): Promise<Json | undefined> =>
    (await app.rows()).find((row) => row.id === id);

  it('makes no difference between an upload of another user and one that does not exist', async () => {
    const open = await ann.create('content', { length: 3 });
    const done = await ann.store('content');
    const before = JSON.stringify(await app.rows());
    const range = { 'Content-Range': 'bytes 3-6/7' };
    const json = { 'Content-Type': 'application/json' };
    const inForm = form(file('tent'));
    const behind = (id: string) => form(file('tent'), { name: 'upload_id', value: id });
    const requests = (id: string) => [
      bob.send(`/${id}`),
      bob.send(`/${id}`, { method: 'HEAD' }),
      bob.send(`/${id}`, { method: 'PUT', headers: range, body: 'tent' }),
      bob.send(`/${id}`, { method: 'PUT', ...inForm, headers: { ...inForm.headers, ...range } }),
      bob.send(`/${id}`, { method: 'POST', headers: range, body: 'tent' }),
      bob.send(`/${id}`, { method: 'POST', headers: json, body: JSON.stringify({ md5: SUM }) }),
      bob.send(`/${id}`, { method: 'POST', headers: json, body: '{}' }),
      bob.send(`/${id}`, { method: 'DELETE' }),
      bob.send(`/${id}/content`),
      bob.send(`/${id}/content`, { method: 'HEAD' }),
      bob.send(`?upload_id=${id}`, { method: 'PUT', headers: range, body: 'tent' }),
      bob.send('', { method: 'PUT', ...behind(id), headers: { ...inForm.headers, ...range } }),
    ];
    const look = ({ status, headers, text }: Answer) => ({
      status,
      headers: { ...headers, date: null },
      text,
    });
    const unknown = (await Promise.all(requests(UNKNOWN_ID))).map(look);
    for (const id of [open, done]) expect((await Promise.all(requests(id))).map(look)).toEqual(unknown);
    expect(unknown.map(({ status }) => status)).toEqual(unknown.map(() => 404));
    expect(JSON.stringify(await app.rows())).toBe(before);
    expect((await ann.send(`/${done}/content`)).text).toBe('content');
  });

  it('lists to each user what is theirs, and writes down who it was', async () => {
    const [cid, dan] = [clientOf(app, 'cid'), clientOf(app, 'dan')];
    const theirs = await cid.create('content');
    const others = await dan.create('content');
    const ids = async (client: UploadClient) =>
      ((await client.send('')).json.items as Json[]).map(({ id }) => id);
    expect([await ids(cid), await ids(dan)]).toEqual([[theirs], [others]]);
    expect((await cid.send(`/${theirs}`)).json.user_id).toBe('cid');
    expect(await rowOf(others)).toMatchObject({ user_id: 'dan' });
  });

  it('shows everything to everyone when userRestricted is off', async () => {
    const open = await start({ guards: [HeaderGuard], userRestricted: false });
    try {
      const id = await clientOf(open, 'ann').create('content', { length: 3 });
      const other = clientOf(open, 'bob');
      expect((await other.put(`/${id}`, 'content', { start: 3 })).json).toMatchObject({
        offset: 7,
        user_id: 'ann',
      });
      expect((await other.complete(id, { md5: SUM })).status).toBe(200);
      expect(((await other.send('')).json.items as Json[]).map((item) => item.id)).toEqual([id]);
      expect((await other.send(`/${id}`, { method: 'DELETE' })).status).toBe(204);
    } finally {
      await open.close();
    }
  });

  it('keeps apart what callers without a user share, and what has one', async () => {
    const open = await start({ guards: [HeaderGuard], anonymous: true });
    try {
      const [nobody, user] = [clientOf(open, 'nobody'), clientOf(open, 'ann')];
      const [shared, owned] = [await nobody.create('content'), await user.create('content')];
      expect((await nobody.send(`/${shared}`)).json.user_id).toBeNull();
      for (const [client, id] of [
        [nobody, owned],
        [user, shared],
      ] as const) {
        expect((await client.send(`/${id}`)).status).toBe(404);
        expect((await client.complete(id, { md5: SUM })).status).toBe(404);
      }
      expect(((await nobody.send('')).json.items as Json[]).map((item) => item.id)).toEqual([shared]);
    } finally {
      await open.close();
    }
  });

  it.each([
    ['blocked', 403, 'forbidden', 'Forbidden resource'],
    ['expired', 401, 'unauthenticated', 'The token has expired.'],
    ['nobody', 403, 'unauthenticated', 'Sign in to upload.'],
  ])('turns the user "%s" away from every route', async (user, status, code, detail) => {
    const [client, id] = [clientOf(app, user), await ann.create('content')];
    const rows = (await app.rows()).length;
    for (const [method, path] of [
      ['GET', ''],
      ['PUT', ''],
      ['POST', ''],
      ['GET', `/${id}`],
      ['PUT', `/${id}`],
      ['POST', `/${id}`],
      ['DELETE', `/${id}`],
      ['GET', `/${id}/content`],
    ] as const) {
      const refused = await client.send(path, { method, ...(method !== 'GET' && { body: 'abc' }) });
      expect([method, path, ...codeOf(refused)]).toEqual([method, path, status, code]);
      expect(refused.headers['content-type']).toMatch(/^application\/problem\+json/);
      expect(refused.json).toMatchObject({
        detail,
        title: expect.any(String),
        type: expect.stringContaining(code),
      });
    }
    for (const path of ['', `/${id}`, `/${id}/content`])
      expect((await client.send(path, { method: 'HEAD' })).status).toBe(status);
    expect(await app.rows()).toHaveLength(rows);
  });

  it.each([
    '/upload',
    '/upload/',
    '/UPLOAD',
    '//upload',
    '/upload/.',
    '/./upload',
    '/upload%2f',
    '/%75pload',
    '/upload?x=/upload',
  ])('lets nobody around the guard by the path %s', async (path) => {
    for (const method of ['GET', 'HEAD', 'POST']) {
      const answer = await new UploadClient(app.origin, { 'x-user': 'blocked' }).send(path, { method });
      expect([403, 404]).toContain(answer.status);
    }
  });

  it('turns callers away before a byte of the body is read', async () => {
    for (const type of ['application/octet-stream', 'multipart/form-data; boundary=b', 'application/json']) {
      for (const line of [
        'PUT /upload',
        'POST /upload',
        `PUT /upload/${UNKNOWN_ID}`,
        `POST /upload/${UNKNOWN_ID}`,
      ]) {
        const connection = new RawConnection(app.origin).head(line, {
          'x-user': 'blocked',
          'Content-Type': type,
          'Content-Range': 'bytes 0-999/1000',
          'Content-Length': 1000,
          Expect: '100-continue',
        });
        expect(codeOf(await connection.answer(1500))).toEqual([403, 'forbidden']);
        expect(connection.received).not.toContain('100 Continue');
        connection.destroy();
      }
    }
  });

  it('asks for a password by the Basic scheme', async () => {
    const guarded = await start({
      guards: [new BasicAuthGuard({ users: { ann: 'pa:ss', jürgen: 'ä' }, realm: 'files' })],
    });
    try {
      const basic = (credentials: string) =>
        new UploadClient(`${guarded.origin}/upload`, {
          Authorization: `Basic ${Buffer.from(credentials).toString('base64')}`,
        });
      for (const credentials of [
        'ann:wrong',
        'ann',
        'ann:',
        ':',
        'eve:pa:ss',
        'constructor:',
        '__proto__:x',
      ]) {
        const refused = await basic(credentials).put('', 'abc');
        expect(codeOf(refused)).toEqual([401, 'unauthenticated']);
        expect(refused.headers['www-authenticate']).toBe('Basic realm="files", charset="UTF-8"');
      }
      for (const header of ['Bearer x', 'Basic', 'Basic !!!', ''])
        expect((await basic('').as({ Authorization: header }).send('')).status).toBe(401);
      expect(await guarded.rows()).toEqual([]);
      expect((await basic('ann:pa:ss').put('', 'abc')).json.user_id).toBe('ann');
      expect((await basic('jürgen:ä').put('', 'abc')).json.user_id).toBe('jürgen');
    } finally {
      await guarded.close();
    }
  });

  it('refuses to start when nobody says who may upload', async () => {
    await expect(start({})).rejects.toThrow(/guards: \[YourAuthGuard\][^]*resolveUser[^]*anonymous: true/);
    await expect(start({ guards: [] })).rejects.toThrow(/does not know who may upload/);
  });
});
