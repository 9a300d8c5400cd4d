import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { HttpException } from '@nestjs/common';
import { ExternalAuthGuard, type ExternalAuthOptions } from '../../src/access/external-auth.guard.js';
import { InvalidOptionError, UploadError } from '../../src/index.js';
import { RawConnection, UploadClient } from '../support/http.js';
import { ADAPTERS, startTestApp, type TestApp } from '../support/test-app.js';
import { FakeAuthServer } from './support/auth-server.js';

const ANN = { Authorization: 'Bearer ann' };

/** The caller's name, as a test's server reads it from a token. */
const bearer = (authorization = '') => authorization.replace('Bearer ', '');

describe.each(ADAPTERS)('ExternalAuthGuard on %s', (adapter) => {
  let server: FakeAuthServer;
  let app: TestApp | undefined;

  beforeAll(async () => void (server = await new FakeAuthServer().start()));
  beforeEach(() => {
    server.asked.length = 0;
    server.answer = ({ headers }, response) => {
      const id = bearer(headers.authorization);
      response.writeHead(id === 'ann' || id === 'bob' ? 200 : 401).end(JSON.stringify({ id }));
    };
  });
  afterEach(async () => {
    await app?.close();
    app = undefined;
  });
  afterAll(() => server.close());

  const start = async (options: ExternalAuthOptions): Promise<UploadClient> => {
    const guards = [new ExternalAuthGuard(options)];
    app = await startTestApp({ adapter, upload: { anonymous: false, guards } });
    return new UploadClient(`${app.origin}/upload`);
  };

  it('lets in whom the server knows, and keeps users apart', async () => {
    const client = await start({ url: server.url });
    const id = await client.as(ANN).create('content', { length: 3 });
    expect((await client.as(ANN).send(`/${id}`)).json.user_id).toBe('ann');
    expect((await client.as({ Authorization: 'Bearer bob' }).send(`/${id}`)).status).toBe(404);
  });

  it('forwards Authorization and Cookie and nothing else, to the configured url', async () => {
    server.says(200, { sub: 7 });
    const client = await start({ url: server.url });
    const sent = {
      ...ANN,
      Cookie: 'a=b; c=d',
      'X-Secret': 's',
      'Proxy-Authorization': 'p',
      Host: 'evil.example',
    };
    const created = await client.as(sent).put('?access_token=t', 'content');
    expect(created.json.user_id).toBe('7');
    const [asked] = server.asked;
    expect([asked?.method, asked?.url]).toEqual(['GET', '/me?from=uploads']);
    expect(asked?.headers).toMatchObject({ authorization: 'Bearer ann', cookie: 'a=b; c=d' });
    expect(asked?.headers.host).toMatch(/^127\.0\.0\.1:/);
    expect(JSON.stringify(asked?.rawHeaders)).not.toMatch(/secret|proxy|evil|range|access_token/i);
  });

  it('answers missing and wrong credentials alike, and asks about nobody', async () => {
    const client = await start({ url: server.url, challenge: 'Bearer realm="uploads"' });
    const missing = await client.put('', 'abc');
    expect(server.asked).toHaveLength(0);
    const wrong = await client.as({ Authorization: 'Bearer eve' }).put('', 'abc');
    expect(server.asked).toHaveLength(1);
    for (const { status, headers, json } of [missing, wrong]) {
      expect([status, json.code, headers['www-authenticate']]).toEqual([
        401,
        'unauthenticated',
        'Bearer realm="uploads"',
      ]);
    }
    expect(wrong.text).toBe(missing.text);
    server.says(403);
    expect((await client.as(ANN).send('')).text).toBe((await client.send('')).text);
    expect(await app?.rows()).toEqual([]);
  });

  it('answers 403 where no scheme is named', async () => {
    const refused = await (await start({ url: server.url })).send('');
    expect([refused.status, refused.json.code]).toEqual([403, 'unauthenticated']);
    expect(refused.headers).not.toHaveProperty('www-authenticate');
  });

  it('lets nobody in when the server fails, redirects, or answers what names no user', async () => {
    const client = (await start({ url: server.url, timeout: 500 })).as(ANN);
    const answers: [string, () => void][] = [
      ['500', () => server.says(500, { id: 'ann' })],
      ['404', () => server.says(404)],
      ['429', () => server.says(429)],
      ['302', () => server.says(302, { id: 'ann' }, { Location: server.url.replace('/me', '/elsewhere') })],
      ['empty', () => server.says(204)],
      ['no JSON', () => (server.answer = (_request, response) => response.end('<html>'))],
      ...[
        null,
        [],
        'ann',
        {},
        { id: '' },
        { id: null },
        { id: { $ne: 1 } },
        { id: true },
        { name: 'ann' },
      ].map((json): [string, () => void] => [JSON.stringify(json), () => server.says(200, json)]),
      ['too long', () => server.says(200, { id: 'ann', x: 'x'.repeat(100_000) })],
      ['broken', () => (server.answer = ({ socket }) => socket.destroy())],
      ['never', () => (server.answer = () => undefined)],
      ['half', () => (server.answer = (_request, response) => response.write('{"id":'))],
    ];
    for (const [name, arrange] of answers) {
      arrange();
      const start = Date.now();
      const refused = await client.put('', 'abc');
      expect([name, refused.status]).toEqual([name, 503]);
      expect(refused.json.detail).toBe('Who is calling cannot be found out now. Try the same request again.');
      expect(Date.now() - start).toBeLessThan(2_000);
    }
    expect(server.asked.map(({ url }) => url)).not.toContainEqual(expect.stringContaining('elsewhere'));
    expect(await app?.rows()).toEqual([]);
    server.says(200, { id: 'ann' });
    expect((await client.put('', 'abc')).status).toBe(200);
  });

  it('lets nobody in when nobody listens, before a byte of the body is read', async () => {
    const gone = await new FakeAuthServer().start();
    const { url } = gone;
    await gone.close();
    await start({ url });
    const head = { ...ANN, 'Content-Range': 'bytes 0-9/10', 'Content-Length': 10, Expect: '100-continue' };
    const connection = new RawConnection(app?.origin ?? '').head('PUT /upload', head);
    expect((await connection.answer(3000)).status).toBe(503);
    expect(connection.received).not.toContain('100 Continue');
    connection.destroy();
  });

  it('remembers nothing unless told to', async () => {
    const client = (await start({ url: server.url })).as(ANN);
    for (const times of [1, 2, 3]) {
      expect((await client.send('')).status).toBe(200);
      expect(server.asked).toHaveLength(times);
    }
  });

  it('remembers users by all of their credentials for cacheMs, and no refusals', async () => {
    const provision = jest.fn(({ id }: { id?: unknown }) => ({ id: `local-${String(id)}` }));
    const client = await start({ url: server.url, cacheMs: 400, provision });
    const userOf = async (headers: Record<string, string>) =>
      (await client.as(headers).put('', 'abc')).json.user_id;
    expect([await userOf(ANN), await userOf(ANN)]).toEqual(['local-ann', 'local-ann']);
    expect([server.asked.length, provision.mock.calls.length]).toEqual([1, 1]);
    expect(await userOf({ Authorization: 'Bearer bob' })).toBe('local-bob');
    await userOf({ ...ANN, Cookie: 'x' });
    expect(server.asked).toHaveLength(3);
    const eve = { Authorization: 'Bearer eve' };
    expect([await userOf(eve), await userOf(eve)]).toEqual([undefined, undefined]);
    expect(server.asked).toHaveLength(5);
    await new Promise((resolve) => setTimeout(resolve, 450));
    server.says(401);
    expect((await client.as(ANN).send('')).status).toBe(403);
  });

  it('asks a callback, with the request', async () => {
    const client = await start({
      authenticate: (request) => {
        const { headers } = request as { headers: Record<string, string> };
        return Promise.resolve(headers['x-user'] ? { id: headers['x-user'] } : null);
      },
    });
    expect((await client.as({ 'x-user': 'ann' }).put('', 'abc')).json.user_id).toBe('ann');
    expect((await client.put('', 'abc')).status).toBe(403);
  });

  it('turns what the callback throws into its own answer, or into 503', async () => {
    let error: unknown;
    const client = await start({
      authenticate: () => {
        throw error;
      },
    });
    for (const [thrown, status, code] of [
      [new Error('ldap is down, password hunter2'), 503, 'auth_unavailable'],
      ['text', 503, 'auth_unavailable'],
      [null, 503, 'auth_unavailable'],
      [new HttpException('Pay first.', 402), 402, 'refused'],
      [new UploadError('forbidden', 'Not you.'), 403, 'forbidden'],
    ] as const) {
      error = thrown;
      const refused = await client.put('', 'abc');
      expect([refused.status, refused.json.code]).toEqual([status, code]);
      expect(refused.text).not.toContain('hunter2');
    }
  });

  it('provisions the user, and lets nobody in who cannot be', async () => {
    const users = new Map<unknown, { id: string }>();
    const client = await start({
      url: server.url,
      provision: ({ id }) => {
        if (id === 'bob') throw new UploadError('forbidden', 'No more seats.');
        const user = users.get(id) ?? { id: `u${users.size + 1}` };
        users.set(id, user);
        return Promise.resolve(user);
      },
    });
    const userOf = async () => (await client.as(ANN).put('', 'abc')).json.user_id;
    expect([await userOf(), await userOf()]).toEqual(['u1', 'u1']);
    const refused = await client.as({ Authorization: 'Bearer bob' }).put('', 'abc');
    expect([refused.status, refused.json.detail]).toEqual([403, 'No more seats.']);
    expect(users.size).toBe(1);
  });

  it('lets nobody in whom provisioning does not find', async () => {
    const nobody = { find: () => null as unknown as { id: string } };
    const client = await start({ url: server.url, provision: () => Promise.resolve(nobody.find()) });
    expect((await client.as(ANN).put('', 'abc')).status).toBe(403);
  });

  it('keeps the user as it is when provisioning returns nothing', async () => {
    const seen: unknown[] = [];
    const client = await start({ url: server.url, provision: (user) => void seen.push(user) });
    expect((await client.as(ANN).put('', 'abc')).json.user_id).toBe('ann');
    expect(seen).toEqual([{ id: 'ann' }]);
  });
});

describe('ExternalAuthGuard', () => {
  it.each([
    { url: 'auth.example.com' },
    { url: 'file:///etc/passwd' },
    { url: '' },
    { url: 'http://a b' },
    { url: 'http://a', timeout: 0 },
    { url: 'http://a', cacheMs: -1 },
    { url: 'http://a', challenge: 'Bearer\r\nSet-Cookie: a=b' },
  ])('refuses the options %j at boot', (options) => {
    expect(() => new ExternalAuthGuard(options)).toThrow(InvalidOptionError);
  });
});
