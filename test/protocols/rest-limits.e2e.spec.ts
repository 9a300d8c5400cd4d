import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { UPLOAD_ERROR_CODES, UploadError, type UploadErrorCode } from '../../src/index.js';
import { REST_STATUSES } from '../../src/protocols/rest/rest.response.js';
import { type Answer, file, form, md5, noise, type Part, UploadClient } from '../support/http.js';
import { ADAPTERS, startTestApp, type TestApp } from '../support/test-app.js';

const UNKNOWN_ID = '01234567-89ab-4cde-8f01-23456789abcd';

/** What a PNG is recognised by: its signature, its header, the begin of image data. */
const PNG = Buffer.concat([
  Buffer.from('89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000271049444154', 'hex'),
  noise(10_000),
]);
/** An executable for Windows, as far as anybody looks. */
const EXE = Buffer.concat([
  Buffer.from('4d5a90000300000004000000ffff0000b800000000000000', 'hex'),
  noise(5000),
]);
const TEXT = Buffer.from('This is only text. '.repeat(300));

describe.each(ADAPTERS)('Limits on %s', (adapter) => {
  let app: TestApp;
  let client: UploadClient;
  let pictures: TestApp;
  let gallery: UploadClient;
  let shortLived: TestApp;
  let brief: UploadClient;

  beforeAll(async () => {
    const upload = { maxBytes: 1000, minBytes: 100, maxChunkBytes: '600b', maxFilenameBytes: 20 };
    app = await startTestApp({ adapter, upload });
    client = new UploadClient(`${app.origin}/upload`);
    pictures = await startTestApp({
      adapter,
      upload: {
        allowedExtensions: ['.PNG', 'txt', 'docx'],
        allowedMimeTypes: [
          'image/*',
          'text/plain',
          'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
        ],
      },
    });
    gallery = new UploadClient(`${pictures.origin}/upload`);
    shortLived = await startTestApp({
      adapter,
      upload: {
        expiresIn: '100s',
        statusOverrides: { offset_mismatch: 409, expired: 404, unauthenticated: 401 },
        // Lets a test have any refusal it likes, where hooks may refuse.
        beforeCreate: ({ filename }) => {
          const code = UPLOAD_ERROR_CODES.find((one) => `${one}.txt` === filename);
          if (code) throw new UploadError(code, 'As you like it.', { retryAfter: 7, limitBytes: 8 });
        },
      },
    });
    brief = new UploadClient(`${shortLived.origin}/upload`);
  });
  afterAll(() => Promise.all([app, pictures, shortLived].map((one) => one.close())));

  const codeOf = ({ status, json }: Answer) => [status, json.code];
  const expectNothing = async (where: TestApp) =>
    expect([await where.rows(), await where.files()]).toEqual([[], []]);
  const clear = async (where: TestApp) => {
    const { base } = { base: new UploadClient(`${where.origin}/upload`) };
    for (const { id } of await where.rows()) await base.send(`/${String(id)}`, { method: 'DELETE' });
  };
  const post = (one: UploadClient, ...parts: Part[]) => one.send('', { method: 'POST', ...form(...parts) });

  it('refuses a file beyond maxBytes, however it comes', async () => {
    const range = (value: string) => ({ method: 'PUT', headers: { 'Content-Range': value } });
    const sent = form(file(noise(500)));
    const refused = [
      await client.send('', { ...range('bytes 0-499/1001'), body: noise(500) }),
      await client.send('', { ...range('bytes 0-499/9007199254740991'), body: noise(500) }),
      await client.send('', {
        method: 'PUT',
        ...sent,
        headers: { ...sent.headers, 'Content-Range': 'bytes 0-499/1001' },
      }),
    ];
    for (const answer of refused)
      expect([...codeOf(answer), answer.json.limit_bytes]).toEqual([400, 'too_large', 1000]);
    const posted = [
      await client.send(`?md5=${md5('x')}`, { method: 'POST', body: noise(1001) }),
      await client.send(`?md5=${md5('x')}`, { method: 'POST', body: [noise(500), noise(501)] }),
      await post(client, file(noise(1001)), { name: 'md5', value: md5('x') }),
    ];
    for (const answer of posted)
      expect([answer.status, ['too_large', 'chunk_too_large']]).toEqual([
        400,
        expect.arrayContaining([answer.json.code]),
      ]);
    await expectNothing(app);
  });

  it('refuses a file that grows beyond maxBytes while its total is unknown', async () => {
    const whole = noise(1001);
    const id = await client.create(whole.subarray(0, 600), { 'Content-Range': 'bytes 0-599/*' });
    const put = (start: number, length: number) => client.put(`/${id}`, whole, { start, length, total: '*' });
    expect([...codeOf(await put(600, 401))]).toEqual([400, 'too_large']);
    expect((await put(600, 400)).json.offset).toBe(1000);
    expect(codeOf(await put(1000, 1))).toEqual([400, 'too_large']);
    expect((await client.complete(id, { md5: md5(whole.subarray(0, 1000)) })).status).toBe(200);
    await clear(app);
  });

  it('refuses a file below minBytes, not a small chunk of a larger one', async () => {
    const small = await client.put('', noise(99));
    expect([...codeOf(small), small.json.limit_bytes]).toEqual([400, 'too_small', 100]);
    expect(codeOf(await client.put('', ''))).toEqual([400, 'too_small']);
    expect(codeOf(await post(client, file(noise(99)), { name: 'md5', value: md5('x') }))).toEqual([
      400,
      'too_small',
    ]);
    await expectNothing(app);

    const whole = noise(100);
    const id = await client.create(whole, { length: 1 });
    await client.put(`/${id}`, whole, { start: 1 });
    expect((await client.complete(id, { md5: md5(whole) })).status).toBe(200);

    const open = await client.create('abc', { 'Content-Range': 'bytes 0-2/*' });
    expect(codeOf(await client.complete(open, { md5: md5('abc') }))).toEqual([400, 'too_small']);
    expect(codeOf(await client.put(`/${open}`, 'abcdef', { start: 3 }))).toEqual([400, 'too_small']);
    await clear(app);
  });

  it('refuses a chunk beyond maxChunkBytes', async () => {
    const whole = noise(700);
    const sent = form(file(whole));
    const refused = [
      await client.put('', whole),
      await client.put('', whole, { length: 601 }),
      await client.send('', {
        method: 'PUT',
        ...sent,
        headers: { ...sent.headers, 'Content-Range': 'bytes 0-699/700' },
      }),
      await client.send(`?md5=${md5(whole)}`, { method: 'POST', body: whole }),
      await post(client, file(whole), { name: 'md5', value: md5(whole) }),
    ];
    for (const answer of refused)
      expect([...codeOf(answer), answer.json.limit_bytes]).toEqual([400, 'chunk_too_large', 600]);
    await expectNothing(app);
    expect((await client.put('', whole, { length: 600 })).status).toBe(200);
    await clear(app);
  });

  it('refuses a name beyond maxFilenameBytes, counted in UTF-8', async () => {
    expect((await client.put(`?filename=${'x'.repeat(20)}`, noise(100))).status).toBe(200);
    for (const name of ['x'.repeat(21), '%C3%BC'.repeat(11)]) {
      const refused = await client.put(`?filename=${name}`, noise(100));
      expect([...codeOf(refused), refused.json.limit_bytes]).toEqual([400, 'filename_invalid', 20]);
    }
    expect(codeOf(await post(client, file(noise(100)), { name: 'filename', value: 'x'.repeat(21) }))).toEqual(
      [400, 'filename_invalid'],
    );
    await clear(app);
  });

  it.each<[string, string, Buffer, string | undefined]>([
    ['a PNG', 'a.png', PNG, 'image/png'],
    ['a PNG named in capitals', 'A.B.PNG', PNG, undefined],
    ['a PNG with parameters', 'a.png', PNG, 'image/PNG; q=1'],
    ['a text', 'a.txt', TEXT, 'text/plain; charset=utf-8'],
    ['a text that says nothing of its type', 'a.txt', TEXT, 'application/octet-stream'],
    ['a text as curl sends it', 'a.txt', TEXT, 'application/x-www-form-urlencoded'],
  ])('takes %s', async (_what, name, whole, type) => {
    const id = await gallery.create(whole, {
      query: `?filename=${name}`,
      ...(type && { 'Content-Type': type }),
    });
    expect((await gallery.complete(id, { md5: md5(whole) })).json.status).toBe('complete');
    await clear(pictures);
  });

  it.each<[string, string, Buffer, string | undefined]>([
    ['another extension', 'a.exe', PNG, 'image/png'],
    ['no extension', 'png', PNG, 'image/png'],
    ['a hidden file', '.png', PNG, 'image/png'],
    ['an extension before the last', 'a.png.exe', PNG, 'image/png'],
    ['another media type', 'a.png', PNG, 'application/pdf'],
    ['a range for a media type', 'a.png', Buffer.from('x'), 'image'],
    ['text as a PNG', 'a.png', TEXT, 'image/png'],
    ['little text as a PNG', 'a.png', Buffer.from('text'), 'image/png'],
    ['an executable as a text', 'a.txt', EXE, 'text/plain'],
    ['an executable as a PNG', 'a.png', EXE, undefined],
  ])('refuses %s, and leaves nothing behind', async (_what, name, whole, type) => {
    const headers = type ? { 'Content-Type': type } : {};
    const part = (filename: string): Part => ({
      name: 'file',
      value: whole,
      filename,
      ...(type && { contentType: type }),
    });
    const sum = { name: 'md5', value: md5(whole) };
    const refused = [
      await gallery.put(`?filename=${name}`, whole, {}, headers),
      await gallery.send(`?filename=${name}&md5=${md5(whole)}`, { method: 'POST', headers, body: whole }),
      await post(gallery, part(name), sum),
      await post(gallery, part('blob'), sum, { name: 'filename', value: name }),
      await post(gallery, { name: 'filename', value: name }, part('blob'), sum),
    ];
    expect(refused.map(codeOf)).toEqual(refused.map(() => [400, 'type_not_allowed']));
    await expectNothing(pictures);
  });

  it('looks again on completion, when the first chunk was too short to tell', async () => {
    for (const [whole, name] of [
      [EXE, 'a.txt'],
      [TEXT, 'a.png'],
    ] as const) {
      const created = await gallery.put(`?filename=${name}`, whole, { length: name === 'a.txt' ? 1 : 3 });
      const id = String(created.json.id);
      expect(created.status).toBe(200);
      expect((await gallery.put(`/${id}`, whole, { start: Number(created.json.offset) })).status).toBe(200);
      expect(codeOf(await gallery.complete(id, { md5: md5(whole) }))).toEqual([400, 'type_not_allowed']);
      expect((await gallery.send(`/${id}/content`)).status).toBe(400);
    }
    await clear(pictures);
  });

  it('answers 410 to everything but DELETE once an upload expired, never for a complete one', async () => {
    const id = await client.create(noise(200), { length: 100 });
    await app.dataSource.query('UPDATE chunked_upload SET expires_at = now()');
    const answers = [
      await client.send(`/${id}`),
      await client.put(`/${id}`, noise(200), { start: 100 }),
      await client.complete(id, { md5: md5('x') }),
      await client.send(`/${id}/content`),
    ];
    expect(answers.map(codeOf)).toEqual(answers.map(() => [410, 'expired']));
    expect((await client.send(`/${id}`, { method: 'HEAD' })).status).toBe(410);
    expect((await client.send(`/${id}`, { method: 'DELETE' })).status).toBe(204);
    await expectNothing(app);
  });

  it('expires the time after the last chunk that expiresIn says, in the status that statusOverrides says', async () => {
    const whole = noise(30);
    const id = await brief.create(whole, { length: 10 });
    const mismatch = await brief.put(`/${id}`, whole, { start: 20 });
    expect([...codeOf(mismatch), mismatch.json.status]).toEqual([409, 'offset_mismatch', 409]);
    const pass = (seconds: number) =>
      shortLived.dataSource.query(
        `UPDATE chunked_upload SET expires_at = expires_at - interval '${seconds} s'`,
      );
    for (const start of [10, 20]) {
      await pass(90);
      const { json } = await brief.put(`/${id}`, whole, { start, length: 10 });
      expect(json.offset).toBe(start + 10);
      expect(Date.parse(String(json.expires)) - Date.now()).toBeGreaterThan(60_000);
      expect(Date.parse(String(json.expires)) - Date.now()).toBeLessThan(110_000);
    }
    const done = await brief.store('abc');
    await pass(110);
    expect(codeOf(await brief.send(`/${id}`))).toEqual([404, 'expired']);
    expect((await brief.send(`/${done}/content`)).text).toBe('abc');
    expect((await brief.complete(done, { md5: md5('abc') })).status).toBe(200);
  });

  it.each(
    UPLOAD_ERROR_CODES.filter((code) => !['expired', 'offset_mismatch', 'unauthenticated'].includes(code)),
  )('answers %s with the status of the table, as a problem', async (code: UploadErrorCode) => {
    const refused = await brief.put(`?filename=${code}.txt`, 'abc');
    expect(refused.status).toBe(REST_STATUSES[code]);
    expect(refused.headers['content-type']).toMatch(/^application\/problem\+json(; charset=utf-8)?$/);
    expect(refused.headers['cache-control']).toBe('no-store');
    expect(refused.headers['retry-after']).toBe('7');
    expect(refused.json).toEqual({
      type: `urn:nestjs-chunked-upload:problem:${code}`,
      title: expect.stringMatching(/^[A-Z][a-z ]+$/),
      status: REST_STATUSES[code],
      detail: 'As you like it.',
      code,
      limit_bytes: 8,
      retry_after: 7,
    });
  });

  it('has the statuses of the Django apps', () => {
    const statusOf: Record<string, number> = REST_STATUSES;
    const by = (status: number) => UPLOAD_ERROR_CODES.filter((code) => statusOf[code] === status).join(' ');
    expect(
      [401, 403, 404, 405, 408, 410, 413, 415, 416, 423, 500, 503, 507].map((status) => [status, by(status)]),
    ).toEqual([
      [401, 'unauthenticated'],
      [403, 'forbidden'],
      [404, 'not_found'],
      [405, 'method_not_allowed'],
      [408, 'idle_timeout'],
      [410, 'expired failed'],
      [413, 'body_too_large'],
      [415, 'encoding_not_supported'],
      [416, 'range_not_satisfiable'],
      [423, 'busy taken_over'],
      [500, 'internal_error'],
      [503, 'auth_unavailable database_unavailable shutting_down storage_unavailable'],
      [507, 'no_space'],
    ]);
    expect(UPLOAD_ERROR_CODES.filter((code) => statusOf[code] === 400)).toHaveLength(20);
  });

  it('tells nothing of its insides when it fails, and goes on when it is repaired', async () => {
    const id = await client.create(noise(200), { length: 100 });
    await app.dataSource.query('ALTER TABLE chunked_upload RENAME TO gone');
    const broken = await client.send(`/${id}`);
    expect(codeOf(broken)).toEqual([500, 'internal_error']);
    expect(broken.text).not.toMatch(/gone|chunked_upload"|relation|SELECT/);
    await app.dataSource.query('ALTER TABLE gone RENAME TO chunked_upload');
    expect((await client.send(`/${id}`)).status).toBe(200);
    expect(codeOf(await client.send(`/${UNKNOWN_ID}`))).toEqual([404, 'not_found']);
    await clear(app);
  });
});
