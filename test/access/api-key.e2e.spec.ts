import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Inject, Injectable } from '@nestjs/common';
import { ApiKeyGuard } from '../../src/access/api-key.guard.js';
import { ApiKeyService, type IssuedApiKey } from '../../src/access/api-key.service.js';
import { InvalidOptionError } from '../../src/index.js';
import { type Answer, form, file, type Json, md5, RawConnection, UploadClient } from '../support/http.js';
import { ADAPTERS } from '../support/test-app.js';
import { type KeysApp, startKeysApp } from './support/keys-app.js';

/** A guard with options of its own, as `docs/access.md` shows it. */
@Injectable()
class QueryKeyGuard extends ApiKeyGuard {
  constructor(@Inject(ApiKeyService) keys: ApiKeyService) {
    super(keys, { allowQuery: true, realm: 'old "clients"' });
  }
}

const look = ({ status, headers, text }: Answer) => ({ status, headers: { ...headers, date: null }, text });

describe.each(ADAPTERS)('ApiKeyGuard on %s', (adapter) => {
  let app: KeysApp;
  let ann: IssuedApiKey;
  let bob: IssuedApiKey;

  beforeAll(async () => {
    app = await startKeysApp({ adapter, upload: { guards: [ApiKeyGuard] } });
    ann = await app.keys.create({ userId: 'ann' });
    bob = await app.keys.create({ userId: 'bob' });
  });
  afterAll(() => app.close());

  const client = (headers: Record<string, string> = {}) => new UploadClient(`${app.origin}/upload`, headers);
  const scheme = (user: string, key: string) => ({ Authorization: `ApiKey ${user}:${key}` });
  const pair = (user: string, key: string) => ({ 'X-Api-User': user, 'X-Api-Key': key });

  it.each([
    ['Authorization', scheme],
    ['its own headers', pair],
  ])('takes user name and key from %s', async (_where, headers) => {
    const id = await client(headers('ann', ann.key)).create('content');
    const found = (await app.rows()).find((row) => row.id === id);
    expect(found).toMatchObject({ user_id: 'ann' });
    const completed = await client(headers('ann', ann.key)).complete(id, { md5: md5('content') });
    expect(completed.json).toMatchObject({ status: 'complete', user_id: 'ann' });
  });

  it('spells the scheme as it likes, and takes names with colons, blanks and letters of any language', async () => {
    const upper = { Authorization: `APIKEY   ann:${ann.key}` };
    expect((await client(upper).send('')).status).toBe(200);
    for (const userId of ['a:b', 'urn:x:1 2', 'jürgen', '漢字']) {
      const { key } = await app.keys.create({ userId });
      const bytes = Buffer.from(userId, 'utf8').toString('latin1');
      for (const headers of [scheme(bytes, key), pair(bytes, key)])
        expect((await client(headers).put('', 'abc')).json.user_id).toBe(userId);
    }
    const { key } = await app.keys.create({ userId: 'jürgen' });
    expect((await client(pair('jürgen', key)).put('', 'abc')).json.user_id).toBe('jürgen');
  });

  it('keeps users apart', async () => {
    const [annClient, bobClient] = [client(scheme('ann', ann.key)), client(pair('bob', bob.key))];
    const id = await annClient.create('content', { length: 3 });
    expect((await bobClient.send(`/${id}`)).status).toBe(404);
    expect((await bobClient.put(`/${id}`, 'content', { start: 3 })).status).toBe(404);
    expect((await bobClient.send(`/${id}`, { method: 'DELETE' })).status).toBe(404);
    const items = async (one: UploadClient) =>
      ((await one.send('')).json.items as Json[]).map((item) => item.id);
    expect(await items(annClient)).toContain(id);
    expect(await items(bobClient)).not.toContain(id);
  });

  it('answers missing and wrong credentials of every kind alike', async () => {
    const revoked = await app.keys.create({ userId: 'ann' });
    await app.keys.revoke(revoked.record.id);
    const expired = await app.keys.create({ userId: 'ann', expiresIn: 1 });
    await new Promise((resolve) => setTimeout(resolve, 20));
    const wrong = `${ann.key.slice(0, -6)}AAAAAA`;
    const unknown = ann.key.replace(ann.record.id, '01234567-89ab-4cde-8f01-23456789abcd');
    const rows = (await app.rows()).length;
    const refused: (Record<string, string> | string[])[] = [
      {},
      ...[wrong, unknown, revoked.key, expired.key, bob.key, '', 'x', 'A'.repeat(7_000)].flatMap((key) => [
        scheme('ann', key),
        pair('ann', key),
      ]),
      ...['', 'Ann', 'bob', ' ', 'x'.repeat(7_000), '__proto__', 'ann:', "ann' OR 1=1 --"].flatMap((user) => [
        scheme(user, ann.key),
        pair(user, ann.key),
      ]),
      { 'X-Api-Key': ann.key },
      { 'X-Api-User': 'ann' },
      { Authorization: `ApiKey ${ann.key}` },
      { Authorization: `ApiKey ann ${ann.key}` },
      { Authorization: 'ApiKey' },
      { Authorization: 'ApiKey :' },
      { Authorization: `Bearer ann:${ann.key}` },
      { Authorization: `Basic ${Buffer.from(`ann:${ann.key}`).toString('base64')}` },
      { username: 'ann', api_key: ann.key },
      { Cookie: `username=ann; api_key=${ann.key}` },
    ];
    const expected = look(await client().send(''));
    expect(expected).toMatchObject({
      status: 401,
      headers: { 'www-authenticate': 'ApiKey realm="uploads"' },
    });
    expect(JSON.parse(expected.text)).toMatchObject({
      code: 'unauthenticated',
      detail: 'Wrong user name or API key.',
    });
    for (const headers of refused)
      expect([headers, look(await client(headers as Record<string, string>).send(''))]).toEqual([
        headers,
        expected,
      ]);
    expect((await client(scheme('ann', wrong)).put('', 'abc')).status).toBe(401);
    expect(await app.rows()).toHaveLength(rows);
  });

  it('reads neither body nor query', async () => {
    const fields = form({ name: 'username', value: 'ann' }, { name: 'api_key', value: ann.key }, file('abc'));
    expect((await client().send('', { method: 'POST', ...fields })).status).toBe(401);
    expect((await client().post('', { username: 'ann', api_key: ann.key })).status).toBe(401);
    expect((await client().put(`?username=ann&api_key=${ann.key}`, 'abc')).status).toBe(401);
    const waiting = new RawConnection(app.origin).head('PUT /upload', {
      'Content-Range': 'bytes 0-999/1000',
      'Content-Length': 1000,
      Expect: '100-continue',
    });
    const answer = await waiting.answer(1500);
    expect([answer.status, answer.json.code]).toEqual([401, 'unauthenticated']);
    expect(waiting.received).not.toContain('100 Continue');
    waiting.destroy();
  });

  it('is not to be had by headers given twice, or by bytes that no header has', async () => {
    const raw = async (lines: string[]) => {
      const connection = new RawConnection(app.origin).write(
        ['GET /upload HTTP/1.1', 'Host: 127.0.0.1', ...lines, '', ''].join('\r\n'),
      );
      const { status, head } = await connection.answer();
      connection.destroy();
      return { status, head };
    };
    const good = ['X-Api-User: ann', `X-Api-Key: ${ann.key}`];
    expect((await raw(good)).status).toBe(200);
    expect((await raw([...good, `X-Api-Key: ${bob.key}`])).status).toBe(401);
    expect((await raw([...good, 'X-Api-User: bob'])).status).toBe(401);
    expect((await raw(['X-Api-User: ann\0', `X-Api-Key: ${ann.key}`])).status).toBe(400);
    const injected = await raw(['X-Api-User: ann\u0085Set-Cookie: a=b', `X-Api-Key: ${ann.key}`]);
    expect(injected.status).toBe(401);
    expect(injected.head).not.toMatch(/set-cookie/i);
    const raw2 = await raw([`Authorization: ApiKey ann:wrong`, `Authorization: ApiKey ann:${ann.key}`]);
    expect([400, 401]).toContain(raw2.status);
  });
});

describe.each(ADAPTERS)('ApiKeyGuard with allowQuery on %s', (adapter) => {
  let app: KeysApp;
  let ann: IssuedApiKey;
  let client: UploadClient;

  beforeAll(async () => {
    app = await startKeysApp({ adapter, upload: { guards: [QueryKeyGuard] } });
    ann = await app.keys.create({ userId: 'ann b+c' });
    client = new UploadClient(`${app.origin}/upload`);
  });
  afterAll(() => app.close());

  it('takes username and api_key from the query too', async () => {
    const query = `?username=ann%20b%2Bc&api_key=${ann.key}`;
    const created = await client.put(`${query}&filename=a.txt`, 'content', { length: 3 });
    expect(created.json).toMatchObject({ user_id: 'ann b+c', filename: 'a.txt' });
    expect(created.text).not.toContain(ann.key);
    expect(JSON.stringify(created.headers)).not.toContain(ann.key);
    const { id } = created.json as { id: string };
    expect((await client.put(`/${id}${query}`, 'content', { start: 3 })).json.offset).toBe(7);
    expect((await client.post(`/${id}${query}`, { md5: md5('content') })).status).toBe(200);
    expect((await client.send(`/${id}/content${query}`)).text).toBe('content');
    const headers = { 'X-Api-User': 'ann b+c', 'X-Api-Key': ann.key };
    expect((await client.as(headers).send('')).status).toBe(200);
  });

  it('takes neither doubled nor damaged parameters', async () => {
    const [user, key] = ['username=ann%20b%2Bc', `api_key=${ann.key}`];
    const expected = look(await client.send(''));
    expect(expected.status).toBe(401);
    expect(expected.headers['www-authenticate']).toBe('ApiKey realm="old \\"clients\\""');
    for (const query of [
      user,
      key,
      `${user}&${key}&${key}`,
      `${user}&${key}&username=bob`,
      `username=bob&${user}&${key}`,
      `${user}%00&${key}`,
      `${user}&${key}%00`,
      `${user}&${key}%0d%0aSet-Cookie:%20a=b`,
      `${user}&api_key[]=${ann.key}`,
      `username[]=ann&${key}`,
      `${user}&api_key=${'A'.repeat(7_000)}`,
      `${user}#&${key}`,
      `%75sername=ann&${key}`,
      `${user}&api_key=%zz`,
    ])
      expect([query, look(await client.send(`?${query}`))]).toEqual([query, expected]);
  });
});

describe('ApiKeyGuard', () => {
  it('is made by hand with any keeper of keys', async () => {
    const guard = new ApiKeyGuard({ verify: () => Promise.resolve({ keyId: 'k', userId: 'u' }) });
    const request = { method: 'GET', url: '/', headers: { 'x-api-user': 'a', 'x-api-key': 'b' } };
    const context = { switchToHttp: () => ({ getRequest: () => request }) };
    expect(await guard.canActivate(context as never)).toBe(true);
    expect(request).toMatchObject({ user: { id: 'u' } });
  });

  it.each(['a\r\nSet-Cookie: a=b', 'ü', '\0'])('refuses the realm %j at boot', (realm) => {
    expect(() => new ApiKeyGuard({ verify: () => Promise.resolve(null) }, { realm })).toThrow(
      InvalidOptionError,
    );
  });
});
