import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { file, form, type Json, md5, noise, UploadClient } from '../support/http.js';
import { ADAPTERS, startTestApp, type TestApp } from '../support/test-app.js';

const WHOLE = noise(300_000);

describe.each(ADAPTERS)('Content and lists on %s', (adapter) => {
  let app: TestApp;
  let client: UploadClient;
  let id: string;

  beforeAll(async () => {
    app = await startTestApp({ adapter, upload: { resolveUser: userOfHeader } });
    client = new UploadClient(`${app.origin}/upload`, { 'x-user': 'ann' });
    id = await client.store(WHOLE, { query: '?filename=data.csv' });
  });
  afterAll(() => app.close());

  const read = (headers = {}, method = 'GET') => client.send(`/${id}/content`, { method, headers });

  it('sends the whole file as an attachment that no browser sniffs or runs', async () => {
    const whole = await read();
    expect(whole.status).toBe(200);
    expect(whole.bytes.equals(WHOLE)).toBe(true);
    expect(whole.headers).toMatchObject({
      'content-length': '300000',
      'content-type': expect.stringMatching(/^text\/csv/) as unknown,
      'content-disposition': 'attachment; filename=data.csv',
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; sandbox",
      'accept-ranges': 'bytes',
      'cache-control': 'private, no-cache',
      etag: `"md5-${md5(WHOLE)}"`,
    });
    expect(Date.parse(String(whole.headers['last-modified']))).toBeGreaterThan(Date.now() - 60_000);
  });

  it('answers HEAD with the headers of GET, whatever range it asks for', async () => {
    const { headers } = await read();
    for (const asked of [{}, { Range: 'bytes=0-9' }, { Range: 'bytes=300000-' }]) {
      const head = await read(asked, 'HEAD');
      expect([asked, head.status, head.bytes.length]).toEqual([asked, 200, 0]);
      for (const name of ['content-length', 'content-type', 'content-disposition', 'etag', 'last-modified'])
        expect(head.headers[name]).toBe(headers[name]);
    }
  });

  it.each([
    ['bytes=0-0', 0, 1],
    ['bytes=10-19', 10, 20],
    ['bytes=299999-', 299_999, 300_000],
    ['bytes=0-', 0, 300_000],
    ['bytes=-5', 299_995, 300_000],
    ['bytes=-999999999', 0, 300_000],
    ['bytes=299990-999999999', 299_990, 300_000],
    ['BYTES=1-2', 1, 3],
  ])('sends the part that Range: %s asks for', async (range, start, end) => {
    const part = await read({ Range: range });
    expect(part.status).toBe(206);
    expect(part.headers['content-range']).toBe(`bytes ${start}-${end - 1}/300000`);
    expect(part.headers['content-length']).toBe(String(end - start));
    expect(part.headers['content-disposition']).toBe('attachment; filename=data.csv');
    expect(part.headers['x-content-type-options']).toBe('nosniff');
    expect(part.bytes.equals(WHOLE.subarray(start, end))).toBe(true);
  });

  it.each(['bytes=300000-', 'bytes=300000-300001', 'bytes=-0', 'bytes=99999999999999999999-'])(
    'refuses Range: %s and says how long the file is',
    async (range) => {
      const refused = await read({ Range: range });
      expect([refused.status, refused.json.code]).toEqual([416, 'range_not_satisfiable']);
      expect(refused.headers['content-range']).toBe('bytes */300000');
      expect(refused.headers['content-type']).toMatch(/^application\/problem\+json/);
    },
  );

  it.each([
    'bytes=0-1,5-6',
    'bytes=5-1',
    'bytes=-',
    'bytes=a-b',
    'items=0-1',
    'bytes 0-1',
    'bytes=0x0-0x5',
    '',
  ])('sends the whole file for Range: %s', async (range) => {
    const whole = await read({ Range: range });
    expect([whole.status, whole.bytes.length, whole.headers['content-range']]).toEqual([
      200,
      300_000,
      undefined,
    ]);
  });

  it('minds If-Range and If-None-Match', async () => {
    const etag = `"md5-${md5(WHOLE)}"`;
    const range = { Range: 'bytes=0-9' };
    expect((await read({ ...range, 'If-Range': etag })).status).toBe(206);
    expect((await read({ ...range, 'If-Range': '"other"' })).status).toBe(200);
    expect((await read({ ...range, 'If-Range': `W/${etag}` })).status).toBe(200);
    for (const tag of [etag, `W/${etag}`, '*', `"a", ${etag}`]) {
      for (const method of ['GET', 'HEAD']) {
        const unchanged = await read({ 'If-None-Match': tag, ...range }, method);
        expect([unchanged.status, unchanged.bytes.length, unchanged.headers.etag]).toEqual([304, 0, etag]);
      }
    }
    expect((await read({ 'If-None-Match': '"other"' })).status).toBe(200);
  });

  it('has no content before the upload is complete', async () => {
    const open = await client.create('abc');
    const refused = await client.send(`/${open}/content`);
    expect([refused.status, refused.json.code, refused.json.offset]).toEqual([400, 'incomplete', 3]);
    expect(refused.headers['content-disposition']).toBeUndefined();
  });

  it.each<[string, string, string, string]>([
    ['plain', 'attachment; filename="a b.txt"', 'a b.txt', 'attachment; filename="a b.txt"'],
    [
      'quotes',
      'attachment; filename="a\\"b.txt"',
      'a"b.txt',
      "attachment; filename=a_b.txt; filename*=UTF-8''a%22b.txt",
    ],
    [
      'extended',
      'attachment; filename="x"; filename*=UTF-8\'\'%E2%82%AC%20rates.txt',
      '€ rates.txt',
      'attachment; filename="_ rates.txt"; filename*=UTF-8\'\'%E2%82%AC%20rates.txt',
    ],
    [
      'CR LF',
      "attachment; filename*=UTF-8''a%0D%0ASet-Cookie:%20x.txt",
      'aSet-Cookie: x.txt',
      'attachment; filename="aSet-Cookie: x.txt"',
    ],
    ['a path', 'attachment; filename="../../etc/passwd"', 'passwd', 'attachment; filename=passwd'],
    [
      'direction marks',
      "attachment; filename*=UTF-8''a%E2%80%AEfdp.exe",
      'afdp.exe',
      'attachment; filename=afdp.exe',
    ],
    ['no name', 'attachment', 'unnamed', 'attachment; filename=unnamed'],
  ])('takes a name with %s in, and sends it out again', async (_what, given, filename, sent) => {
    const named = await client.store('abc', { 'Content-Disposition': given });
    expect((await client.send(`/${named}`)).json.filename).toBe(filename);
    const content = await client.send(`/${named}/content`);
    expect(content.headers['content-disposition']).toBe(sent);
    expect(content.headers['set-cookie']).toBeUndefined();
  });

  it('takes names in the query as they are, and refuses one too long or a header that cannot be read', async () => {
    for (const [query, name] of [
      ['?filename=%C3%9C%20%E6%97%A5.txt', 'Ü 日.txt'],
      ['?filename=a%00b%0d%0a.txt', 'ab.txt'],
      ['?filename=%2e%2e%2f%2e%2e%2fx', 'x'],
      [`?filename=${'x'.repeat(255)}`, 'x'.repeat(255)],
    ])
      expect((await client.put(query as string, 'abc')).json.filename).toBe(name);
    const rows = (await app.rows()).length;
    for (const [query, headers] of [
      [`?filename=${'x'.repeat(256)}`, {}],
      [`?filename=${'%C3%BC'.repeat(128)}`, {}],
      ['', { 'Content-Disposition': 'attachment; filename="a' }],
    ] as const) {
      const refused = await client.put(query, 'abc', {}, headers);
      expect([refused.status, refused.json.code]).toEqual([400, 'filename_invalid']);
    }
    expect(await app.rows()).toHaveLength(rows);
  });

  it('serves HTML and SVG as attachments too', async () => {
    const sent = form(
      { ...file('<script>', 'a.svg'), contentType: 'image/svg+xml' },
      { name: 'md5', value: md5('<script>') },
    );
    const stored = await client.send('', { method: 'POST', ...sent });
    const content = await client.send(`/${String(stored.json.id)}/content`);
    expect(content.headers).toMatchObject({
      'content-type': expect.stringContaining('image/svg+xml') as unknown,
      'content-disposition': 'attachment; filename=a.svg',
      'content-security-policy': "default-src 'none'; sandbox",
      'x-content-type-options': 'nosniff',
    });
  });

  describe('The list', () => {
    const lister = () => client.as({ 'x-user': 'lister' });
    const idsOf = (json: Json) => (json.items as Json[]).map((item) => item.id);

    it('has the uploads of the caller, newest first, page by page, whatever is added meanwhile', async () => {
      const mine = lister();
      const ids: string[] = [];
      for (let i = 0; i < 7; i++) ids.unshift(await mine.create(`file ${i}`));
      // As if they had been created in the same millisecond.
      await app.dataSource.query(
        `UPDATE chunked_upload SET created_at = '2026-01-01' WHERE user_id = 'lister'`,
      );
      ids.sort().reverse();

      const seen: unknown[] = [];
      let query = '?limit=3';
      for (let page = 1; page <= 3; page++) {
        const { status, json, headers } = await mine.send(query);
        expect([status, headers['cache-control']]).toEqual([200, 'no-store']);
        expect(Object.keys(json)).toEqual(['items', 'next_cursor']);
        seen.push(...idsOf(json));
        expect(json.next_cursor === null).toBe(page === 3);
        query = `?limit=3&cursor=${String(json.next_cursor)}`;
        if (page === 1) await mine.create('newer');
      }
      expect(seen).toEqual(ids);
      const [newest] = (await mine.send('')).json.items as Json[];
      expect(newest).toEqual((await mine.send(`/${String(newest?.id)}`)).json);
    });

    it('filters by status, and ends where there is nothing', async () => {
      const mine = client.as({ 'x-user': 'filterer' });
      const done = await mine.store('abc');
      const open = await mine.create('abc');
      expect(idsOf((await mine.send('?status=complete')).json)).toEqual([done]);
      expect(idsOf((await mine.send('?status=uploading')).json)).toEqual([open]);
      expect(idsOf((await mine.send('')).json)).toEqual([open, done]);
      expect((await mine.send('?status=failed')).json).toEqual({ items: [], next_cursor: null });
      const head = await mine.send('', { method: 'HEAD' });
      expect([head.status, head.bytes.length]).toEqual([200, 0]);
    });

    it('does not show what expired', async () => {
      const mine = client.as({ 'x-user': 'late' });
      const [done, open] = [await mine.store('abc'), await mine.create('abc')];
      await app.dataSource.query(`UPDATE chunked_upload SET expires_at = now() WHERE user_id = 'late'`);
      expect(idsOf((await mine.send('')).json)).toEqual([done]);
      expect((await mine.send(`/${open}`)).status).toBe(410);
      expect((await mine.send(`/${done}/content`)).text).toBe('abc');
    });

    it.each([
      'limit=0',
      'limit=101',
      'limit=1e3',
      'limit=-1',
      'limit=',
      'limit=1&limit=2',
      'limit=1000000000',
      'status=deleting',
      'status=sort;drop',
      'status[]=complete&status=complete&status=complete',
      'cursor=nonsense',
      'cursor=%00',
      'cursor=',
      `cursor=${Buffer.from('1 2 3').toString('base64url')}`,
      `owner_type=${'x'.repeat(256)}`,
    ])('refuses ?%s', async (query) => {
      const refused = await client.send(`?${query}`);
      expect([refused.status, refused.json.code]).toEqual([400, 'malformed_request']);
    });

    it.each([
      'owner_type=%00',
      'owner_id=a%00',
      "owner_type=';drop%20table%20chunked_upload;--",
      'owner_id[$ne]=1',
      'owner_type=%ff',
    ])('finds nothing, and breaks nothing, for ?%s', async (query) => {
      const answer = await client.send(`?${query}`);
      expect(answer.status).toBeLessThan(500);
      expect((await client.send('?limit=1')).status).toBe(200);
    });
  });
});

function userOfHeader(request: unknown): string | null {
  return (request as { headers: Record<string, string | undefined> }).headers['x-user'] ?? null;
}
