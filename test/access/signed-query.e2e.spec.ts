import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createHmac } from 'node:crypto';
import type { IssuedApiKey } from '../../src/access/api-key.service.js';
import { SignedQueryGuard } from '../../src/access/signed-query.guard.js';
import { InvalidOptionError } from '../../src/index.js';
import { type Answer, type Json, md5, send, type Sending } from '../support/http.js';
import { ADAPTERS } from '../support/test-app.js';
import { type KeysApp, startKeysApp } from './support/keys-app.js';

interface Signing {
  readonly key?: string;
  readonly keyId?: string;
  readonly method?: string;
  readonly path?: string;
  /** Seconds from now. */
  readonly age?: number;
  readonly parameters?: readonly string[];
}

const RANGE = { 'Content-Range': 'bytes 0-6/7' };
const now = () => Math.floor(Date.now() / 1000);
const look = ({ status, headers, text }: Answer) => ({ status, headers: { ...headers, date: null }, text });

describe.each(ADAPTERS)('SignedQueryGuard on %s', (adapter) => {
  let app: KeysApp;
  let ann: IssuedApiKey;
  let bob: IssuedApiKey;

  beforeAll(async () => {
    app = await startKeysApp({
      adapter,
      prefix: 'api',
      upload: { guards: [SignedQueryGuard], path: 'files/upload' },
      module: { signedQuery: { signedParameters: ['filename', 'upload_id'] } },
    });
    ann = await app.keys.create({ userId: 'ann' });
    bob = await app.keys.create({ userId: 'bob' });
  });
  afterAll(() => app.close());

  /** As docs/access.md says it, by hand. */
  const signature = ({
    key = ann.key,
    method = 'GET',
    path = '/api/files/upload',
    ...rest
  }: Signing = {}) => {
    const { age = 0, parameters = [] } = rest;
    const timestamp = now() - age;
    const text = [method, path, timestamp, ...parameters].join('\n');
    const signed = createHmac('sha256', key).update(text).digest('hex');
    return { api_key: rest.keyId ?? key.slice(3, 39), timestamp: String(timestamp), signature: signed };
  };
  const query = (fields: Record<string, string>) => new URLSearchParams(fields).toString();
  const get = (search: string, path = '/api/files/upload') => send(`${app.origin}${path}?${search}`);
  /** Signs what it sends. */
  const signed = (method: string, path = '', sending: Sending & Pick<Signing, 'key' | 'parameters'> = {}) => {
    const { key, parameters, ...rest } = sending;
    const whole = `/api/files/upload${path}`;
    const fields = query(signature({ method, path: whole.split('?')[0], key, parameters }));
    return send(`${app.origin}${whole}${whole.includes('?') ? '&' : '?'}${fields}`, { method, ...rest });
  };

  it('lets through what is signed, for every method, below a prefix', async () => {
    const created = await signed('PUT', '', { headers: { 'Content-Range': 'bytes 0-2/7' }, body: 'con' });
    expect(created.json).toMatchObject({ user_id: 'ann', offset: 3 });
    const id = created.json.id as string;
    const rest = { headers: { 'Content-Range': 'bytes 3-6/7' }, body: 'tent' };
    expect((await signed('PUT', `/${id}`, rest)).json.offset).toBe(7);
    const json = { headers: { 'Content-Type': 'application/json' }, body: `{"md5":"${md5('content')}"}` };
    expect((await signed('POST', `/${id}`, json)).json.status).toBe('complete');
    expect((await signed('GET', `/${id}/content`)).text).toBe('content');
    expect((await signed('HEAD', `/${id}`)).status).toBe(200);
    expect((await signed('DELETE', `/${id}`)).status).toBe(204);
    expect((await signed('GET', `/${id}`)).status).toBe(404);
  });

  it('keeps users apart', async () => {
    const { id } = (await signed('PUT', '', { headers: RANGE, body: 'content' })).json as { id: string };
    expect((await signed('GET', `/${id}`)).status).toBe(200);
    for (const method of ['GET', 'DELETE'])
      expect((await signed(method, `/${id}`, { key: bob.key })).status).toBe(404);
    expect((await signed('GET', '', { key: bob.key })).json.items).toEqual([]);
  });

  it('covers method, path and timestamp to the letter, and the key', async () => {
    const good = signature();
    expect((await get(query(good))).status).toBe(200);
    const expected = look(await get(''));
    expect(expected.status).toBe(403);
    expect(expected.headers).not.toHaveProperty('www-authenticate');
    expect(JSON.parse(expected.text)).toMatchObject({ code: 'unauthenticated' });
    const upload = (await signed('PUT', '', { headers: RANGE, body: 'content' })).json as { id: string };
    expect((await get(query(good), `/api/files/upload/${upload.id}`)).status).toBe(403);
    // Where the framework takes these spellings for the route at all.
    for (const path of ['/api/files/upload/', '/API/files/upload', '//api/files/upload'])
      expect([403, 404]).toContain((await get(query(good), path)).status);
    for (const method of ['PUT', 'POST', 'DELETE', 'HEAD']) {
      const answer = await send(`${app.origin}/api/files/upload?${query(good)}`, { method });
      expect([method, answer.status]).toEqual([method, 403]);
    }
    const revoked = await app.keys.create({ userId: 'ann' });
    await app.keys.revoke(revoked.record.id);
    const expired = await app.keys.create({ userId: 'ann', expiresIn: 1 });
    await new Promise((resolve) => setTimeout(resolve, 20));
    const refused: Record<string, string>[] = [
      signature({ method: 'get' }),
      signature({ method: 'PUT' }),
      signature({ path: '/upload' }),
      signature({ path: `/api/files/upload?x=1` }),
      signature({ key: revoked.key }),
      signature({ key: expired.key }),
      signature({ keyId: bob.record.id }),
      signature({ keyId: '01234567-89ab-4cde-8f01-23456789abcd' }),
      signature({ keyId: ann.key }),
      signature({ keyId: ann.record.id.toUpperCase() }),
      signature({ keyId: `${ann.record.id}\0` }),
      signature({ keyId: 'A'.repeat(7_000) }),
      signature({ keyId: "' OR 1=1 --" }),
      signature({ keyId: `${ann.record.id}\r\nSet-Cookie: a=b` }),
      { ...good, signature: good.signature.slice(0, 62) },
      { ...good, signature: `${good.signature}00` },
      { ...good, signature: '0'.repeat(64) },
      { ...good, signature: 'A'.repeat(7_000) },
      { ...good, signature: `${good.signature}\0` },
      { ...good, timestamp: String(Number(good.timestamp) + 1) },
      { ...good, timestamp: `0${good.timestamp}` },
      { ...good, timestamp: `${good.timestamp}.0` },
      { ...good, timestamp: ` ${good.timestamp}` },
      { ...good, timestamp: '1e9' },
      { ...good, timestamp: '9'.repeat(400) },
      { ...good, timestamp: 'NaN' },
      { ...good, timestamp: '' },
      ...Object.keys(good).map((name) => ({ ...good, [name]: '' })),
      ...Object.keys(good).map((name) =>
        Object.fromEntries(Object.entries(good).filter(([n]) => n !== name)),
      ),
    ];
    for (const fields of refused)
      expect([fields, look(await get(query(fields)))]).toEqual([fields, expected]);
  });

  it('takes no parameter twice, whichever is right', async () => {
    const good = signature();
    for (const name of Object.keys(good) as (keyof typeof good)[])
      for (const twice of [
        `${name}=x&${query(good)}`,
        `${query(good)}&${name}=x`,
        `${query(good)}&${name}=${good[name]}`,
      ])
        expect([twice, (await get(twice)).status]).toEqual([twice, 403]);
    const inHeaders = await send(`${app.origin}/api/files/upload`, { headers: { ...good } });
    expect(inHeaders.status).toBe(403);
  });

  it('takes five minutes in either direction, and no more', async () => {
    for (const [age, status] of [
      [0, 200],
      [290, 200],
      [-290, 200],
      [310, 403],
      [-310, 403],
      [86_400, 403],
      [-86_400, 403],
    ] as const)
      expect([age, (await get(query(signature({ age })))).status]).toEqual([age, status]);
    expect((await get(query(signature({ age: now() })))).status).toBe(403);
  });

  it.each(['+', ' ', '0'])('takes no second spelling of a timestamp, signed or not: "%s"', async (before) => {
    const timestamp = `${before}${now()}`;
    const text = ['GET', '/api/files/upload', timestamp].join('\n');
    const hmac = createHmac('sha256', ann.key).update(text).digest('hex');
    const fields = { api_key: ann.record.id, timestamp, signature: hmac };
    expect((await get(query(fields))).status).toBe(403);
  });

  it('lets a chunk be repeated within the window, which changes nothing', async () => {
    const { id } = (await signed('PUT', '', { headers: { 'Content-Range': 'bytes 0-2/7' }, body: 'con' }))
      .json as { id: string };
    const path = `/api/files/upload/${id}`;
    const url = `${app.origin}${path}?${query(signature({ method: 'PUT', path }))}`;
    const chunk = { method: 'PUT', headers: { 'Content-Range': 'bytes 3-4/7' }, body: 'te' };
    expect((await send(url, chunk)).json.offset).toBe(5);
    const repeated = await send(url, { ...chunk, body: 'xx' });
    expect([repeated.status, repeated.json.code]).toEqual([400, 'offset_mismatch']);
    const row = (await app.rows()).find((one) => one.id === id);
    expect(Number(row?.offset)).toBe(5);
  });

  it('covers the parameters it is told to, and lets none be added, taken away or changed', async () => {
    const put = (search: string, parameters: readonly string[]) => {
      const fields = query(signature({ method: 'PUT', parameters }));
      const url = `${app.origin}/api/files/upload?${search}&${fields}`;
      return send(url, { method: 'PUT', headers: RANGE, body: 'content' });
    };
    const name = ['filename=a%20b%26c%3D.txt'];
    expect((await put('filename=a+b%26c%3d.txt', name)).json.filename).toBe('a b&c=.txt');
    expect((await put('x=1', [])).status).toBe(200);
    for (const [search, parameters] of [
      ['filename=evil.txt', name],
      ['filename=evil.txt', []],
      ['x=1', name],
      ['filename=a%20b%26c%3D.txt&filename=evil.txt', name],
      ['upload_id=1&filename=a%20b%26c%3D.txt', name],
      ['filename=a%0Aupload_id=1', ['filename=a', 'upload_id=1']],
    ] as const)
      expect([search, (await put(search, parameters)).status]).toEqual([search, 403]);
    const both = ['filename=b', 'upload_id=1'];
    expect((await put('upload_id=1&filename=b', both)).json.code).not.toBe('unauthenticated');
    expect((await put('upload_id=1&filename=b', [...both].reverse())).json.code).toBe('unauthenticated');
  });

  it('signs the path as it is sent, percent signs and all', async () => {
    const { id } = (await signed('PUT', '', { headers: RANGE, body: 'content' })).json as { id: string };
    const plain = `/api/files/upload/${id}`;
    const spelled = `/api/files/upload/%${id.charCodeAt(0).toString(16)}${id.slice(1)}`;
    expect((await get(query(signature({ path: spelled })), spelled)).json.id).toBe(id);
    expect((await get(query(signature({ path: plain })), spelled)).status).toBe(403);
    expect((await get(query(signature({ path: spelled })), plain)).status).toBe(403);
  });

  it('writes down whose key it was, and when it was used', async () => {
    const { key, record } = await app.keys.create({ userId: 'cid' });
    expect((await signed('GET', '', { key })).status).toBe(200);
    await new Promise((resolve) => setTimeout(resolve, 200));
    const [listed] = (await app.keys.list({ userId: 'cid' })) as unknown as Json[];
    expect(listed).toMatchObject({ id: record.id, lastUsedAt: expect.any(Date) });
  });
});

describe('SignedQueryGuard', () => {
  const keys = { verifySignature: () => Promise.resolve(null) };

  it('signs the path before any router took its mount point off', async () => {
    const texts: string[] = [];
    const guard = new SignedQueryGuard({
      verifySignature: ({ text }) => {
        texts.push(text);
        return Promise.resolve({ keyId: 'k', userId: 'u' });
      },
    });
    const search = `?api_key=k&timestamp=${now()}&signature=s`;
    const request = {
      method: 'GET',
      headers: {},
      url: `/upload${search}`,
      originalUrl: `/mount/upload${search}`,
    };
    await guard.canActivate({ switchToHttp: () => ({ getRequest: () => request }) } as never);
    expect(texts[0]).toMatch(/^GET\n\/mount\/upload\n\d+$/);
    expect(request).toMatchObject({ user: { id: 'u' } });
  });

  it('refuses options that cannot hold', () => {
    for (const options of [
      { replayWindow: 'soon' },
      { replayWindow: 0 },
      { signedParameters: ['signature'] },
      { signedParameters: ['api_key'] },
    ])
      expect(() => new SignedQueryGuard(keys, options)).toThrow(InvalidOptionError);
  });
});
