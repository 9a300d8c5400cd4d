import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readdir } from 'node:fs/promises';
import { type Answer, file, form, type Json, md5, noise, UploadClient } from '../support/http.js';
import { ADAPTERS, startTestApp, type TestApp } from '../support/test-app.js';

const UNKNOWN_ID = '01234567-89ab-4cde-8f01-23456789abcd';
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const TIME = /^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** Everything an upload says of itself, in the order it is documented. */
const FIELDS = [
  'id',
  'url',
  'offset',
  'size',
  'status',
  'filename',
  'content_type',
  'checksums',
  'owner_type',
  'owner_id',
  'user_id',
  'metadata',
  'expires',
  'created_at',
  'completed_at',
];

describe.each(ADAPTERS)('The REST door on %s', (adapter) => {
  let app: TestApp;
  let client: UploadClient;

  beforeAll(async () => {
    app = await startTestApp({ adapter });
    client = new UploadClient(`${app.origin}/upload`);
  });
  afterAll(() => app.close());

  const rowOf = async (id: unknown): Promise<Json | undefined> =>
    (await app.rows()).find((row) => row.id === id);
  const filesOf = async (id: unknown): Promise<string[]> =>
    (await app.files()).filter((path) => path.includes(String(id)));

  const expectState = (answer: Answer, offset: number, size: number | null) => {
    expect(answer.headers['upload-offset']).toBe(String(offset));
    expect(answer.headers['upload-length']).toBe(size === null ? undefined : String(size));
    expect(answer.headers.range).toBe(offset > 0 ? `bytes=0-${offset - 1}` : undefined);
    expect(answer.headers['cache-control']).toBe('no-store');
  };

  it('creates an upload with the first chunk as a raw body', async () => {
    const whole = noise(1000);
    const created = await client.put('?filename=report.pdf', whole, { length: 400 });
    expect(created.status).toBe(200);
    expect(created.headers['content-type']).toMatch(/^application\/json/);
    expect(Object.keys(created.json)).toEqual(FIELDS);
    const { id } = created.json;
    expect(id).toMatch(UUID);
    expect(created.json).toMatchObject({
      url: `${app.origin}/upload/${String(id)}`,
      offset: 400,
      size: 1000,
      status: 'uploading',
      filename: 'report.pdf',
      content_type: 'application/pdf',
      checksums: {},
      owner_type: null,
      owner_id: null,
      user_id: null,
      metadata: {},
      completed_at: null,
    });
    expect(created.json.created_at).toMatch(TIME);
    expect(Date.parse(String(created.json.expires)) - Date.now()).toBeGreaterThan(23 * 3600_000);
    expect(created.headers.location).toBe(created.json.url);
    expectState(created, 400, 1000);
    expect(await rowOf(id)).toMatchObject({
      offset: '400',
      size: '1000',
      status: 'uploading',
      lease_token: null,
    });
    expect(await filesOf(id)).toEqual([
      expect.stringMatching(new RegExp(`^\\d{4}/\\d\\d/\\d\\d/${String(id)}\\.part$`)),
    ]);
  });

  it('creates an upload with the first chunk in a form', async () => {
    const sent = form(
      { name: 'filename', value: 'photo.png' },
      { name: 'file', value: noise(10), filename: 'blob', contentType: 'image/png' },
    );
    const created = await client.send('', {
      method: 'PUT',
      headers: { 'Content-Range': 'bytes 0-9/20', ...sent.headers },
      body: sent.body,
    });
    expect(created.status).toBe(200);
    expect(created.json).toMatchObject({
      offset: 10,
      size: 20,
      filename: 'photo.png',
      content_type: 'image/png',
    });
    expect(created.headers.location).toBe(created.json.url);
    expectState(created, 10, 20);
  });

  it('appends chunks in order, raw and in forms, and completes with a checksum', async () => {
    const whole = noise(3_000_000);
    const id = await client.create(whole, { length: 1_000_000 });
    const second = await client.put(`/${id}`, whole, { start: 1_000_000, length: 1_500_000 });
    expect(second.status).toBe(200);
    expect(Object.keys(second.json)).toEqual(FIELDS);
    expect(second.json).toMatchObject({ id, offset: 2_500_000, size: 3_000_000, status: 'uploading' });
    expect(second.headers.location).toBeUndefined();
    expectState(second, 2_500_000, 3_000_000);

    const sent = form(file(whole.subarray(2_500_000)));
    const third = await client.send(`/${id}`, {
      method: 'PUT',
      headers: { 'Content-Range': 'bytes 2500000-2999999/3000000', ...sent.headers },
      body: sent.body,
    });
    expect(third.json).toMatchObject({ id, offset: 3_000_000, status: 'uploading' });

    const completed = await client.complete(id, { md5: md5(whole) });
    expect(completed.status).toBe(200);
    expect(Object.keys(completed.json)).toEqual(FIELDS);
    expect(completed.json).toMatchObject({
      id,
      url: `${app.origin}/upload/${id}`,
      status: 'complete',
      offset: 3_000_000,
      size: 3_000_000,
      checksums: { md5: md5(whole) },
      expires: null,
    });
    expect(completed.json.completed_at).toMatch(TIME);
    expectState(completed, 3_000_000, 3_000_000);
    expect(await filesOf(id)).toEqual([expect.stringMatching(/\.done$/)]);
    expect((await client.send(`/${id}/content`)).bytes.equals(whole)).toBe(true);
  });

  it('says where an upload stands to GET and HEAD', async () => {
    const id = await client.create(noise(50), { length: 20 });
    const detail = await client.send(`/${id}`);
    expect(detail.status).toBe(200);
    expect(Object.keys(detail.json)).toEqual(FIELDS);
    expect(detail.json).toMatchObject({ id, url: `${app.origin}/upload/${id}`, offset: 20, size: 50 });
    expectState(detail, 20, 50);
    const head = await client.send(`/${id}`, { method: 'HEAD' });
    expect(head.status).toBe(200);
    expect(head.bytes).toHaveLength(0);
    expectState(head, 20, 50);
  });

  it.each([
    ['JSON', 'application/json', (sum: string) => JSON.stringify({ md5: sum })],
    ['JSON with a charset', 'application/json; charset=utf-8', (sum: string) => JSON.stringify({ md5: sum })],
    ['a urlencoded form', 'application/x-www-form-urlencoded', (sum: string) => `a=%C3%A9+&md5=${sum}`],
  ])('completes an upload by %s', async (_name, contentType, render) => {
    const id = await client.create('content');
    const headers = { 'Content-Type': contentType };
    const completed = await client.send(`/${id}`, { method: 'POST', headers, body: render(md5('content')) });
    expect([completed.status, completed.json.status]).toEqual([200, 'complete']);
    expect(await rowOf(id)).toMatchObject({ status: 'complete' });
  });

  it('completes an upload by a multipart form', async () => {
    const id = await client.create('content');
    const completed = await client.send(`/${id}`, {
      method: 'POST',
      ...form({ name: 'md5', value: md5('content') }),
    });
    expect([completed.status, completed.json.status]).toEqual([200, 'complete']);
  });

  it('takes a whole file and its checksum in one POST, raw or in a form', async () => {
    const raw = await client.send(`?md5=${md5('whole')}&filename=a.txt`, {
      method: 'POST',
      headers: { 'Content-Type': 'text/plain' },
      body: 'whole',
    });
    const inForm = await client.send('', {
      method: 'POST',
      ...form(file('whole', 'a.txt'), { name: 'md5', value: md5('whole') }),
    });
    for (const answer of [raw, inForm]) {
      expect(answer.status).toBe(200);
      expect(answer.json).toMatchObject({
        status: 'complete',
        offset: 5,
        size: 5,
        filename: 'a.txt',
        content_type: 'text/plain',
      });
      expect(answer.headers.location).toBe(`${app.origin}/upload/${String(answer.json.id)}`);
      expectState(answer, 5, 5);
      expect((await client.send(`/${String(answer.json.id)}/content`)).text).toBe('whole');
    }
  });

  it('leaves neither row nor file of a one-shot that is refused', async () => {
    const before = [(await app.rows()).length, await app.files()];
    const wrong = md5('something else');
    const refused = [
      await client.send(`?md5=${wrong}`, { method: 'POST', body: 'whole' }),
      await client.send('', { method: 'POST', body: 'whole' }),
      await client.send('?sha256=00', { method: 'POST', body: 'whole' }),
      await client.send('?md5=zz', { method: 'POST', body: 'whole' }),
      await client.send('', { method: 'POST', ...form(file('whole'), { name: 'md5', value: wrong }) }),
      await client.send('', { method: 'POST', ...form(file('whole')) }),
    ];
    expect(refused.map(({ status, json }) => [status, json.code])).toEqual([
      [400, 'checksum_mismatch'],
      [400, 'checksum_missing'],
      [400, 'checksum_unknown'],
      [400, 'checksum_malformed'],
      [400, 'checksum_mismatch'],
      [400, 'checksum_missing'],
    ]);
    expect([(await app.rows()).length, await app.files()]).toEqual(before);
  });

  it('takes a chunk by POST as well, when it has a Content-Range', async () => {
    const headers = { 'Content-Range': 'bytes 0-2/6' };
    const created = await client.send('', { method: 'POST', headers, body: 'abc' });
    expect(created.json).toMatchObject({ offset: 3, size: 6, status: 'uploading' });
    expect(created.headers.location).toBe(created.json.url);
    const appended = await client.send(`/${String(created.json.id)}`, {
      method: 'POST',
      headers: { 'Content-Range': 'bytes 3-5/6' },
      body: 'def',
    });
    expect(appended.json).toMatchObject({ id: created.json.id, offset: 6, status: 'uploading' });
  });

  it('deletes row, bytes and empty folders, whatever state the upload is in', async () => {
    const other = await startTestApp({ adapter });
    try {
      const theirs = new UploadClient(`${other.origin}/upload`);
      const ids = [await theirs.create(noise(10), { length: 5 }), await theirs.store('done')];
      expect(await other.files()).toHaveLength(2);
      for (const id of ids) {
        const deleted = await theirs.send(`/${id}`, { method: 'DELETE' });
        expect([deleted.status, deleted.text]).toEqual([204, '']);
        for (const method of ['GET', 'HEAD', 'DELETE'])
          expect((await theirs.send(`/${id}`, { method })).status).toBe(404);
      }
      expect(await other.rows()).toEqual([]);
      expect(await readdir(other.root)).toEqual(['.volume']);
    } finally {
      await other.close();
    }
  });

  it.each([
    ['', 'PATCH', 'DELETE, GET, HEAD, OPTIONS, POST, PUT'],
    [`/${UNKNOWN_ID}`, 'PATCH', 'DELETE, GET, HEAD, OPTIONS, POST, PUT'],
    [`/${UNKNOWN_ID}/content`, 'DELETE, PATCH, POST, PUT', 'GET, HEAD, OPTIONS'],
  ])('answers methods that /upload%s does not have with 405 and Allow', async (path, methods, allow) => {
    for (const method of methods.split(', ')) {
      const refused = await client.send(path, { method, body: 'x' });
      expect([refused.status, refused.json.code, refused.headers.allow]).toEqual([
        405,
        'method_not_allowed',
        allow,
      ]);
    }
    const options = await client.send(path, { method: 'OPTIONS' });
    expect([options.status, options.headers.allow, options.text]).toEqual([204, allow, '']);
  });

  it('cancels the upload that a field or the query names', async () => {
    for (const send of [
      (id: string) => client.send('', { method: 'DELETE', ...form({ name: 'upload_id', value: id }) }),
      (id: string) => client.send(`?upload_id=${id}`, { method: 'DELETE' }),
    ]) {
      const id = await client.create('content');
      expect((await send(id)).status).toBe(204);
      expect((await send(id)).status).toBe(404);
      expect((await client.send(`/${id}`)).status).toBe(404);
    }
    const unnamed = await client.send('', { method: 'DELETE' });
    expect([unnamed.status, unnamed.json.code]).toEqual([400, 'malformed_request']);
  });

  it('answers paths it does not have with 404, whatever is sent there', async () => {
    const id = await client.store('content');
    for (const path of [`/${id}/other`, `/${id}/content/more`, '/a/b/c']) {
      for (const method of ['GET', 'PUT', 'POST', 'DELETE']) {
        const headers = { 'Content-Type': 'text/plain' };
        expect((await client.send(path, { method, headers, body: 'x' })).status).toBe(404);
      }
    }
  });
});
