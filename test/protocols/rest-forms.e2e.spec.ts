import { readdir, readlink } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  type Answer,
  contentRange,
  eventually,
  file,
  form,
  md5,
  noise,
  type Part,
  RawConnection,
  UploadClient,
} from '../support/http.js';
import { ADAPTERS, startTestApp, type TestApp } from '../support/test-app.js';

/** Signature, header and the begin of image data: what a PNG is recognised by. */
const PNG = Buffer.concat([
  Buffer.from('89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000271049444154', 'hex'),
  noise(10_000),
]);
const JSON_TYPE = { 'Content-Type': 'application/json' };

describe.each(ADAPTERS)('Forms on %s', (adapter) => {
  let app: TestApp;
  let client: UploadClient;
  let pictures: TestApp;

  beforeAll(async () => {
    app = await startTestApp({ adapter, upload: { contentRange: 'optional' } });
    client = new UploadClient(`${app.origin}/upload`);
    pictures = await startTestApp({ adapter, upload: { allowedMimeTypes: ['image/png'] } });
  });
  afterAll(async () => {
    await app.close();
    await pictures.close();
  });

  /** Sends a form; without a window it is the whole file. */
  const submit = (path: string, parts: Part[], window?: [number, number, number | '*'], method = 'PUT') => {
    const sent = form(...parts);
    const range = window ? { 'Content-Range': contentRange(...window) } : {};
    return client.send(path, { method, headers: { ...range, ...sent.headers }, body: sent.body });
  };
  const codeOf = ({ status, json }: Answer) => [status, json.code];
  const stored = async () => ({ rows: (await app.rows()).length, files: (await app.files()).length });

  it('keeps no file open when the upload named behind the bytes does not take them', async () => {
    const { id } = (await submit('', [file('abc')], [0, 3, 4_000_000])).json;
    for (let count = 0; count < 3; count++) {
      const parts = [file(noise(3_000_000)), { name: 'upload_id', value: String(id) }];
      const refused = await submit('', parts, [5, 3_000_000, 4_000_000]);
      expect(codeOf(refused)).toEqual([400, 'offset_mismatch']);
    }
    // Where the system tells.
    const open = await readdir('/proc/self/fd').catch(() => []);
    const paths = await Promise.all(open.map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')));
    expect(paths.filter((path) => path.startsWith(app.root))).toEqual([]);
  });

  it('takes the text fields before the file, behind it, or on both sides of it', async () => {
    const name = { name: 'filename', value: 'Übersicht 日本.txt' };
    const other = { name: 'comment', value: 'ignored' };
    for (const parts of [
      [name, other, file('abc', 'blob')],
      [file('abc', 'blob'), other, name],
      [other, file('abc', 'blob'), name],
    ]) {
      const created = await submit('', parts, [0, 3, 6]);
      expect(created.json).toMatchObject({
        offset: 3,
        filename: 'Übersicht 日本.txt',
        content_type: 'text/plain',
      });
    }
  });

  it('takes the name from the field, then the header, then the part', async () => {
    const names = async (parts: Part[], headers = {}) => {
      const sent = form(...parts);
      const created = await client.send('', {
        method: 'PUT',
        ...sent,
        headers: { ...sent.headers, ...headers },
      });
      return created.json.filename;
    };
    const disposition = { 'Content-Disposition': 'attachment; filename="header.txt"' };
    expect(await names([file('a', 'part.txt')])).toBe('part.txt');
    expect(await names([file('a', 'part.txt')], disposition)).toBe('header.txt');
    expect(await names([file('a', 'part.txt'), { name: 'filename', value: 'field.txt' }], disposition)).toBe(
      'field.txt',
    );
    expect(await names([{ name: 'filename', value: '' }, file('a', 'part.txt')])).toBe('part.txt');
  });

  it('keeps UTF-8 file names of a part, and makes harmless what is not a name', async () => {
    const names: string[] = [];
    for (const given of ['Größe 日本 😀.pdf', '../../etc/passwd', 'C:\\temp\\a.txt', 'a%22b.txt', '..'])
      names.push(String((await submit('', [file('abc', given)])).json.filename));
    expect(names).toEqual(['Größe 日本 😀.pdf', 'passwd', 'a.txt', 'a"b.txt', 'unnamed']);
  });

  it.each(['PUT', 'POST'])('appends to the upload that upload_id names, by %s', async (method) => {
    const created = await submit('', [file('ab')], [0, 2, 8], method);
    const id = String(created.json.id);
    const field = { name: 'upload_id', value: id };
    const before = await submit('', [field, file('cd')], [2, 2, 8], method);
    const behind = await submit(
      '',
      [file('ef'), { ...field, value: id.replaceAll('-', '') }],
      [4, 2, 8],
      method,
    );
    const query = await submit(`?upload_id=${id.toUpperCase()}`, [file('g')], [6, 1, 8], method);
    const raw = await client.send(`?upload_id=${id}`, {
      method,
      headers: { 'Content-Range': 'bytes 7-7/8' },
      body: 'h',
    });
    const answers = [before, behind, query, raw];
    expect(answers.map(({ status, json }) => [status, json.id, json.offset])).toEqual(
      [4, 6, 7, 8].map((offset) => [200, id, offset]),
    );
    for (const { json } of answers) expect(json.url).toBe(`${app.origin}/upload/${id}`);
    expect((await app.rows()).filter(({ offset }) => offset === '2')).toEqual([]);
    expect((await client.complete(id, { md5: md5('abcdefgh') })).json.status).toBe('complete');
  });

  it('leaves nothing behind when the upload_id behind the file is of no use', async () => {
    const id = await client.create('abcd', { length: 2 });
    const before = await stored();
    const refusals = [
      await submit('', [file('cd'), { name: 'upload_id', value: 'no-such-thing' }], [2, 2, 4]),
      await submit(
        '',
        [file('cd'), { name: 'upload_id', value: '01234567-89ab-4cde-8f01-23456789abcd' }],
        [2, 2, 4],
      ),
      await submit('', [file('d'), { name: 'upload_id', value: id }], [3, 1, 4]),
      await submit('', [file('cd'), { name: 'upload_id', value: id }], [2, 2, 5]),
      await submit('', [file('cd')], [2, 2, 4]),
    ];
    expect(refusals.map(codeOf)).toEqual([
      [404, 'not_found'],
      [404, 'not_found'],
      [400, 'offset_mismatch'],
      [400, 'size_mismatch'],
      [400, 'offset_mismatch'],
    ]);
    expect(await stored()).toEqual(before);
  });

  it('does not take a later chunk for the beginning of a file of another type', async () => {
    const gallery = new UploadClient(`${pictures.origin}/upload`);
    const sent = (parts: Part[], start: number, length: number) => {
      const body = form(...parts);
      const range = { 'Content-Range': contentRange(start, length, PNG.length) };
      return gallery.send('', { method: 'PUT', headers: { ...range, ...body.headers }, body: body.body });
    };
    const part = (bytes: Buffer): Part => ({
      name: 'file',
      value: bytes,
      filename: 'a.png',
      contentType: 'image/png',
    });
    const created = await sent([part(PNG.subarray(0, 5000))], 0, 5000);
    expect(created.status).toBe(200);
    const uploadId = { name: 'upload_id', value: String(created.json.id) };
    const appended = await sent([part(PNG.subarray(5000)), uploadId], 5000, PNG.length - 5000);
    expect(appended.json).toMatchObject({ id: created.json.id, offset: PNG.length });
    expect((await pictures.rows()).length).toBe(1);
  });

  it.each<[string, Part[], string]>([
    ['no part at all', [], 'no_chunk'],
    ['text fields only', [{ name: 'filename', value: 'a.txt' }], 'no_chunk'],
    ['the file as text', [{ name: 'file', value: 'abc' }], 'no_chunk'],
    ['an empty file input', [{ ...file(''), filename: '' }], 'no_chunk'],
    ['another field name', [file('abc', 'a.bin', 'upload')], 'malformed_request'],
    ['two files', [file('abc'), file('def')], 'malformed_request'],
    [
      'a field twice',
      [{ name: 'a', value: '1' }, { name: 'a', value: '2' }, file('abc')],
      'malformed_request',
    ],
    ['33 fields', [...Array(33).keys()].map((i) => ({ name: `f${i}`, value: '' })), 'malformed_request'],
    ['9 KiB of text', [{ name: 'comment', value: 'x'.repeat(9216) }, file('abc')], 'malformed_request'],
    ['half an owner', [{ name: 'owner_type', value: 'person' }, file('abc')], 'owner_not_allowed'],
    ['half an owner behind the file', [file('abc'), { name: 'owner_id', value: '1' }], 'owner_not_allowed'],
  ])('refuses %s and leaves nothing behind', async (_what, parts, code) => {
    const before = await stored();
    for (const method of ['PUT', 'POST']) {
      const refused = await submit('', parts, undefined, method);
      expect(codeOf(refused)).toEqual([400, code]);
    }
    expect(await stored()).toEqual(before);
  });

  it('refuses forms that are cut off or framed wrongly, and leaves nothing behind', async () => {
    const before = await stored();
    const { headers, body } = form(file('abcdef'));
    const range = { 'Content-Range': 'bytes 0-5/6' };
    const cases: [object, Buffer][] = [
      [headers, body.subarray(0, -10)],
      [headers, body.subarray(0, 40)],
      [headers, Buffer.from('no form at all')],
      [{ 'Content-Type': 'multipart/form-data' }, body],
      [{ 'Content-Type': `multipart/form-data; boundary=${'x'.repeat(71)}` }, body],
      [{ ...headers, 'Content-Encoding': 'gzip' }, body],
    ];
    const codes: unknown[] = [];
    for (const [sent, bytes] of cases)
      codes.push(
        codeOf(await client.send('', { method: 'PUT', headers: { ...range, ...sent }, body: bytes })),
      );
    expect(codes).toEqual([
      ...Array<unknown>(5).fill([400, 'malformed_request']),
      [415, 'encoding_not_supported'],
    ]);
    expect(await stored()).toEqual(before);
  });

  it('takes a form of any size, around the sizes of the buffers on its way', async () => {
    for (const length of [
      1, 65_000, 65_536, 65_537, 99_000, 131_071, 131_072, 200_000, 1_048_576, 1_048_577,
    ]) {
      const whole = noise(length);
      const created = await submit('', [file(whole)], [0, length, length]);
      expect([length, created.status, created.json.offset]).toEqual([length, 200, length]);
      expect((await client.complete(String(created.json.id), { md5: md5(whole) })).status).toBe(200);
    }
  });

  it('drops a form whose connection breaks, and the upload stands where it stood', async () => {
    const whole = noise(100_000);
    const id = await client.create(whole, { length: 1000 });
    const sent = form(file(whole.subarray(1000)));
    const connection = new RawConnection(app.origin).head(`PUT /upload/${id}`, {
      ...sent.headers,
      'Content-Range': contentRange(1000, 99_000, 100_000),
      'Content-Length': sent.body.length,
    });
    connection.write(sent.body.subarray(0, 80_000));
    const leaseOf = async () => (await app.rows()).find((row) => row.id === id)?.lease_token;
    await eventually(async () => expect(await leaseOf()).not.toBeNull());
    connection.destroy();
    await eventually(async () => expect(await leaseOf()).toBeNull());
    expect((await client.send(`/${id}`)).json.offset).toBe(1000);
    const appended = await submit(`/${id}`, [file(whole.subarray(1000))], [1000, 99_000, 100_000]);
    expect(appended.json.offset).toBe(100_000);
    expect((await client.complete(id, { md5: md5(whole) })).status).toBe(200);
  });

  it('takes files[], an empty file, and nothing but the part when no window is given', async () => {
    const many = await submit('', [file('abc', 'a.bin', 'files[]')]);
    const empty = await submit('', [file('')]);
    const declared = await submit('', [file('')], [0, 0, 0]);
    expect([many, empty, declared].map(({ json }) => [json.offset, json.size])).toEqual([
      [3, 3],
      [0, 0],
      [0, 0],
    ]);
    for (const { json } of [empty, declared])
      expect((await client.complete(String(json.id), { md5: md5('') })).json.status).toBe('complete');
  });

  it('refuses a file part shorter or longer than the window, whole', async () => {
    const id = await client.create('abcdef', { length: 2 });
    const shorter = await submit(`/${id}`, [file('c')], [2, 2, 6]);
    const longer = await submit(`/${id}`, [file('cdef')], [2, 2, 6]);
    expect([codeOf(shorter), codeOf(longer)]).toEqual([
      [400, 'length_mismatch'],
      [400, 'length_mismatch'],
    ]);
    expect((await client.send(`/${id}`)).json.offset).toBe(2);
    const announced = await submit(`/${id}`, [file('cdef')], [2, 100_000, 100_002]);
    expect(codeOf(announced)).toEqual([400, 'length_mismatch']);
  });

  it('reads a refused form to its end, so that clients that send before they read get the answer', async () => {
    const parts: Part[][] = [
      [{ name: 'owner_type', value: 'person' }, file(noise(8_000_000))],
      [{ name: 'upload_id', value: 'nonsense' }, file(noise(8_000_000))],
      [{ name: 'a', value: '1' }, { name: 'a', value: '1' }, file(noise(8_000_000))],
    ];
    for (const given of parts) {
      const { headers, body } = form(...given);
      const connection = new RawConnection(app.origin).head('PUT /upload', {
        ...headers,
        'Content-Length': body.length,
      });
      await connection.flush(body, 3000);
      expect((await connection.answer()).status).toBeGreaterThanOrEqual(400);
      connection.destroy();
    }
  });

  it('leaves the parsing of forms to us and of JSON to the completing request', async () => {
    const id = await client.create('abc');
    const refused = await client.send(`/${id}`, { method: 'POST', ...form(file('abc')) });
    expect(codeOf(refused)).toEqual([400, 'malformed_request']);
    const text = await client.send(`/${id}`, {
      method: 'POST',
      body: md5('abc'),
      headers: { 'Content-Type': 'text/plain' },
    });
    expect(codeOf(text)).toEqual([400, 'malformed_request']);
    for (const body of ['{', '[]', '"text"', 'null', '\xff'])
      expect(codeOf(await client.send(`/${id}`, { method: 'POST', headers: JSON_TYPE, body }))).toEqual([
        400,
        'malformed_request',
      ]);
  });
});
