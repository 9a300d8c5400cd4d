import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Answer, form, file, md5, noise, RawConnection, UploadClient } from '../support/http.js';
import { ADAPTERS, startTestApp, type TestApp } from '../support/test-app.js';

const UNKNOWN_ID = '01234567-89ab-4cde-8f01-23456789abcd';

/** Values that say nothing certain about where a body goes. */
const MALFORMED = [
  '',
  'bytes',
  'bytes 0-2',
  'bytes 0-2/',
  'bytes -2/3',
  'bytes 0-/3',
  'bytes */3',
  'bytes */*',
  'bytes  0-2/3',
  'bytes=0-2/3',
  'bytes 0 - 2/3',
  'bytes 0-2 / 3',
  'bytes 00-2/3',
  'bytes 0-02/3',
  'bytes +0-2/3',
  'bytes 0-+2/3',
  'bytes -0-2/3',
  'bytes 0x0-0x2/0x3',
  'bytes 0-2e0/3',
  'bytes 0-2.0/3',
  'bytes 0-2/3.5',
  'bytes 0-2/-1',
  'bytes 0-2/3, bytes 0-2/3',
  'bytes 0-2/3; x=y',
  'bytes 2-0/3',
  'bytes 0-3/3',
  'bytes 0-2/2',
  'bytes 0-2/0',
  'items 0-2/3',
  'kilobytes 0-2/3',
  '0-2/3',
  'bytes 0-9007199254740991/*',
  'bytes 0-2/9007199254740993',
  'bytes 0-99999999999999999999/*',
  `bytes 0-2/${'9'.repeat(10_000)}`,
  'bytes \xb2-2/3',
  'bytes NaN-NaN/NaN',
  'bytes Infinity-2/3',
];

describe.each(ADAPTERS)('Chunks on %s', (adapter) => {
  let app: TestApp;
  let client: UploadClient;
  let lenient: TestApp;
  let lenientClient: UploadClient;

  beforeAll(async () => {
    app = await startTestApp({ adapter });
    client = new UploadClient(`${app.origin}/upload`);
    lenient = await startTestApp({ adapter, upload: { contentRange: 'optional', maxBytes: 100_000 } });
    lenientClient = new UploadClient(`${lenient.origin}/upload`);
  });
  afterAll(async () => {
    await app.close();
    await lenient.close();
  });

  const codeOf = ({ status, json }: Pick<Answer, 'status' | 'json'>) => [status, json.code];
  const stored = async (where = app) => ({
    rows: (await where.rows()).length,
    files: (await where.files()).length,
  });

  it('refuses every malformed Content-Range, for a new upload and an old one', async () => {
    const id = await client.create('abcdef', { length: 3 });
    const before = await stored();
    for (const range of MALFORMED) {
      for (const path of ['', `/${id}`]) {
        const refused = await client.send(path, {
          method: 'PUT',
          headers: { 'Content-Range': range },
          body: 'abc',
        });
        expect([range, path, ...codeOf(refused)]).toEqual([range, path, 400, 'content_range_invalid']);
      }
    }
    expect(await stored()).toEqual(before);
    expect((await client.send(`/${id}`)).json.offset).toBe(3);
  });

  it('refuses two Content-Range headers, whatever they say', async () => {
    const connection = new RawConnection(app.origin).write(
      'PUT /upload HTTP/1.1\r\nHost: a\r\nContent-Range: bytes 0-2/3\r\nContent-Range: bytes 0-2/3\r\n' +
        'Content-Length: 3\r\n\r\nabc',
    );
    expect(codeOf(await connection.answer())).toEqual([400, 'content_range_invalid']);
    connection.destroy();
  });

  it('refuses a chunk without Content-Range, unless that is optional', async () => {
    for (const [path, method] of [
      ['', 'PUT'],
      [`/${UNKNOWN_ID}`, 'PUT'],
    ] as const)
      expect(codeOf(await client.send(path, { method, body: 'abc' }))).toEqual([
        400,
        'content_range_missing',
      ]);
    const id = await client.create('abcdef', { length: 3 });
    for (const sending of [{ body: 'def' }, form(file('def'))])
      expect(codeOf(await client.send(`?upload_id=${id}`, { method: 'POST', ...sending }))).toEqual([
        400,
        'content_range_missing',
      ]);
    const behind = form(file('def'), { name: 'upload_id', value: id });
    expect(codeOf(await client.send('', { method: 'POST', ...behind }))).toEqual([
      400,
      'content_range_missing',
    ]);

    const whole = await lenientClient.send('', { method: 'PUT', body: 'abc' });
    const streamed = await lenientClient.send('', { method: 'PUT', body: ['ab', 'cd'] });
    expect([whole, streamed].map(({ json }) => [json.offset, json.size])).toEqual([
      [3, 3],
      [4, 4],
    ]);
    expect((await lenientClient.complete(String(streamed.json.id), { md5: md5('abcd') })).status).toBe(200);
  });

  it('names the offset when a chunk is out of order, and takes nothing of it', async () => {
    const id = await client.create('abcdefghij', { length: 4 });
    for (const start of [0, 3, 5, 9]) {
      const refused = await client.put(`/${id}`, 'abcdefghij', { start, length: 1 });
      expect(codeOf(refused)).toEqual([400, 'offset_mismatch']);
      expect(refused.json).toMatchObject({ offset: 4, expected_offset: 4, provided_offset: start });
      expect(refused.headers['upload-offset']).toBe('4');
    }
    const first = await client.put('', 'abcdefghij', { start: 4, length: 2 });
    expect(codeOf(first)).toEqual([400, 'offset_mismatch']);
    expect(first.json).toMatchObject({ expected_offset: 0, provided_offset: 4 });
    expect((await client.put(`/${id}`, 'abcdefghij', { start: 4 })).json.offset).toBe(10);
  });

  it('fixes the total with the first number, and "*" is none', async () => {
    const id = await client.create('abcdef', { length: 2 });
    expect(codeOf(await client.put(`/${id}`, 'abcdef', { start: 2, total: 7 }))).toEqual([
      400,
      'size_mismatch',
    ]);
    expect(codeOf(await client.put(`/${id}`, 'abcdefgh', { start: 2, total: '*' }))).toEqual([
      400,
      'size_mismatch',
    ]);
    const open = await client.put('', 'abcdef', { length: 2, total: '*' });
    expect(open.json.size).toBeNull();
    expect(open.headers['upload-length']).toBeUndefined();
    const openId = String(open.json.id);
    expect(
      (await client.put(`/${openId}`, 'abcdef', { start: 2, length: 2, total: '*' })).json.size,
    ).toBeNull();
    expect((await client.put(`/${openId}`, 'abcdef', { start: 4, length: 1 })).json.size).toBe(6);
    expect(codeOf(await client.put(`/${openId}`, 'abcdef', { start: 5, total: 9 }))).toEqual([
      400,
      'size_mismatch',
    ]);
    expect((await client.put(`/${openId}`, 'abcdef', { start: 5, total: '*' })).json).toMatchObject({
      offset: 6,
      size: 6,
    });
    const unknown = await client.put('', 'abc', { total: '*' });
    const completed = await client.complete(String(unknown.json.id), { md5: md5('abc') });
    expect(completed.json).toMatchObject({ status: 'complete', size: 3 });
  });

  it('takes an empty file as "bytes */0"', async () => {
    const created = await client.put('', '');
    expect(created.json).toMatchObject({ offset: 0, size: 0, status: 'uploading' });
    expect(created.headers.range).toBeUndefined();
    const id = String(created.json.id);
    expect((await client.complete(id, { md5: md5('') })).json).toMatchObject({ status: 'complete', size: 0 });
    const content = await client.send(`/${id}/content`);
    expect([content.status, content.headers['content-length'], content.text]).toEqual([200, '0', '']);
  });

  it('refuses a request without bytes', async () => {
    const range = { 'Content-Range': 'bytes 0-2/3' };
    for (const method of ['PUT', 'POST'])
      expect(codeOf(await client.send('', { method, headers: range, body: '' }))).toEqual([400, 'no_chunk']);
    expect(codeOf(await lenientClient.send('', { method: 'PUT', body: '' }))).toEqual([400, 'no_chunk']);
    expect(codeOf(await client.send('', { method: 'PUT', headers: range, body: [] }))).toEqual([
      400,
      'no_chunk',
    ]);
  });

  it('takes chunked encoding, with and without a range, and counts for itself', async () => {
    const headers = { 'Content-Range': 'bytes 0-5/6' };
    const exact = await client.send('', { method: 'PUT', headers, body: ['abc', 'def'] });
    expect(exact.json).toMatchObject({ offset: 6, size: 6 });
    const before = [await stored(), await stored(lenient)];
    const shorter = await client.send('', { method: 'PUT', headers, body: ['abc', 'de'] });
    const longer = await client.send('', { method: 'PUT', headers, body: ['abc', 'defg'] });
    expect([codeOf(shorter), codeOf(longer)]).toEqual([
      [400, 'length_mismatch'],
      [400, 'length_mismatch'],
    ]);
    const endless = await lenientClient.send('', { method: 'PUT', body: [noise(60_000), noise(60_000)] });
    expect(codeOf(endless)).toEqual([400, 'too_large']);
    expect([await stored(), await stored(lenient)]).toEqual(before);
    const id = await client.create('abcdef', { length: 2 });
    const append = (...body: string[]) =>
      client.send(`/${id}`, { method: 'PUT', headers: { 'Content-Range': 'bytes 2-4/6' }, body });
    expect(codeOf(await append('c', 'd'))).toEqual([400, 'length_mismatch']);
    expect(codeOf(await append('c', 'd', 'e', 'f'))).toEqual([400, 'length_mismatch']);
    expect((await client.send(`/${id}`)).json.offset).toBe(2);
    expect((await append('c', 'd', 'e')).json.offset).toBe(5);
  });
});
