import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  type Answer,
  contentRange,
  file,
  form,
  md5,
  noise,
  type Part,
  send,
  type Sending,
} from '../support/http.js';
import { ADAPTERS, startTestApp, type TestApp } from '../support/test-app.js';

const UNKNOWN = '0123456789ab4cde8f0123456789abcd';
const HEX_ID = /^[0-9a-f]{32}$/;
const TIME = /^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const URLENCODED = { 'Content-Type': 'application/x-www-form-urlencoded' };
const userOf = (request: unknown) =>
  (request as { headers: Record<string, string | undefined> }).headers['x-user'] || null;
const codeOf = ({ status, json }: Answer) => [status, json.code];
const field = (name: string, value: unknown): Part => ({ name, value: String(value) });
const dashed = (id: unknown) => String(id).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');

/** `[start, length, total]` of a chunk; none for a file that is whole. */
type Window = [start: number, length: number, total: number | '*'];

describe.each(ADAPTERS)('The form-post door on %s', (adapter) => {
  let app: TestApp;
  let hooks = 0;

  beforeAll(async () => {
    app = await startTestApp({
      adapter,
      upload: {
        doors: ['rest', 'form-post'],
        anonymous: false,
        resolveUser: userOf,
        maxBytes: 1_000_000,
        onComplete: ({ filename }) => {
          hooks++;
          return filename === 'answered.txt' ? { stored: filename } : undefined;
        },
      },
    });
  });
  afterAll(() => app.close());

  const at = (path: string, { headers, ...sending }: Sending = {}, user = 'ann') =>
    send(`${app.origin}${path}`, { method: 'POST', ...sending, headers: { 'X-User': user, ...headers } });
  const chunk = (parts: Part[], window?: Window, { user = 'ann', headers = {} } = {}) => {
    const sent = form(...parts);
    const range = window ? { 'Content-Range': contentRange(...window) } : {};
    return at(
      '/chunked_upload/',
      { headers: { ...range, ...headers, ...sent.headers }, body: sent.body },
      user,
    );
  };
  const complete = (fields: Record<string, string>, user = 'ann') =>
    at(
      '/chunked_upload_complete/',
      { headers: URLENCODED, body: new URLSearchParams(fields).toString() },
      user,
    );
  const begin = async (window: Window = [0, 3, 6]) =>
    String((await chunk([file('abc')], window)).json.upload_id);
  const stored = async () => ({ rows: (await app.rows()).length, files: (await app.files()).length });
  const expire = (id: string) =>
    app.dataSource.query(`UPDATE chunked_upload SET expires_at = now() - interval '1 hour' WHERE id = $1`, [
      dashed(id),
    ]);

  it('answers a chunk with upload_id, offset and expires, and nothing else', async () => {
    const first = await chunk([file('abc', 'a.txt')], [0, 3, 6]);
    expect(first.status).toBe(200);
    expect(first.headers['content-type']).toMatch(/^application\/json/);
    expect(Object.keys(first.json)).toEqual(['upload_id', 'offset', 'expires']);
    expect(first.json.upload_id).toMatch(HEX_ID);
    expect(first.json.offset).toBe(3);
    expect(first.json.expires).toMatch(TIME);
    expect(first.headers).toMatchObject({
      'upload-offset': '3',
      'upload-length': '6',
      range: 'bytes=0-2',
      'cache-control': 'no-store',
    });
    expect((await app.rows()).find(({ id }) => id === dashed(first.json.upload_id))).toMatchObject({
      filename: 'a.txt',
      user_id: 'ann',
      offset: '3',
      status: 'uploading',
    });
  });

  it('goes on by upload_id, in every spelling, before the file or behind it', async () => {
    const id = await begin([0, 3, 7]);
    const answers = [
      await chunk([field('upload_id', id), file('d')], [3, 1, 7]),
      await chunk([file('e'), field('upload_id', id)], [4, 1, 7]),
      await chunk([field('upload_id', dashed(id)), file('f')], [5, 1, 7]),
      await chunk([file('g'), field('upload_id', dashed(id).toUpperCase())], [6, 1, 7]),
    ];
    expect(answers.map(({ status, json }) => [status, json.upload_id, json.offset])).toEqual(
      [4, 5, 6, 7].map((offset) => [200, id, offset]),
    );
    const completed = await complete({ upload_id: id, md5: md5('abcdefg') });
    expect([completed.status, completed.text]).toEqual([200, '{}']);
  });

  it('takes an empty upload_id for none', async () => {
    const created = await chunk([field('upload_id', ''), file('abc')], [0, 3, 3]);
    expect([created.status, created.json.offset]).toEqual([200, 3]);
  });

  it('takes a file without Content-Range for the whole of it, and for the first one only', async () => {
    const whole = await chunk([file('abc')]);
    expect(whole.json.offset).toBe(3);
    expect(whole.headers['upload-length']).toBe('3');
    const empty = await chunk([file('')]);
    expect(empty.json.offset).toBe(0);
    for (const [answer, bytes] of [
      [whole, 'abc'],
      [empty, ''],
    ] as const)
      expect((await complete({ upload_id: String(answer.json.upload_id), md5: md5(bytes) })).status).toBe(
        200,
      );

    const id = await begin();
    for (const parts of [
      [field('upload_id', id), file('def')],
      [file('def'), field('upload_id', id)],
    ]) {
      const again = await chunk(parts);
      expect([...codeOf(again), again.json.offset]).toEqual([400, 'offset_mismatch', 3]);
    }
  });

  it('tells where to go on when the offsets do not match, as problem+json with the old members', async () => {
    const id = await begin();
    const wrong = await chunk([field('upload_id', id), file('f')], [5, 1, 6]);
    expect(wrong.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(wrong.json).toMatchObject({
      status: 400,
      code: 'offset_mismatch',
      offset: 3,
      expected_offset: 3,
      provided_offset: 5,
    });
    expect(typeof wrong.json.detail).toBe('string');
  });

  it('takes the name from the field or the part, and the owner from fields', async () => {
    const nameOf = async ({ json }: Answer) =>
      (await app.rows()).find(({ id }) => id === dashed(json.upload_id))?.filename;
    expect(await nameOf(await chunk([file('a', '../../Größe.pdf')]))).toBe('Größe.pdf');
    expect(await nameOf(await chunk([file('a', 'blob'), field('filename', 'b.txt')]))).toBe('b.txt');
    const foreign = await chunk([field('owner_type', 'person'), field('owner_id', '1'), file('a')]);
    expect(codeOf(foreign)).toEqual([400, 'owner_not_allowed']);
  });

  it('makes creation repeatable by Idempotency-Key', async () => {
    const headers = { 'Idempotency-Key': 'form-post' };
    const first = await chunk([file('abc')], [0, 3, 6], { headers });
    const again = await chunk([file('abc')], [0, 3, 6], { headers });
    expect([again.status, again.json.upload_id]).toEqual([200, first.json.upload_id]);
  });

  it.each<[string, Part[], Window | undefined, [number, string]]>([
    ['no file', [field('upload_id', '')], [0, 3, 6], [400, 'no_chunk']],
    ['a text field in place of the file', [field('file', 'abc')], [0, 3, 6], [400, 'no_chunk']],
    ['another field name', [file('abc', 'a.bin', 'the_file')], [0, 3, 6], [400, 'malformed_request']],
    ['a first chunk that is none', [file('abc')], [3, 3, 6], [400, 'offset_mismatch']],
    ['fewer bytes than announced', [file('ab')], [0, 3, 6], [400, 'length_mismatch']],
    ['more bytes than announced', [file('abcd')], [0, 3, 6], [400, 'length_mismatch']],
    ['a total beyond the limit', [file('abc')], [0, 3, 1_000_001], [400, 'too_large']],
    ['an end beyond the limit', [file('abc')], [1_000_000, 3, '*'], [400, 'too_large']],
    ['a whole file beyond the limit', [file(noise(1_000_001))], undefined, [400, 'too_large']],
    ['an upload nobody has', [field('upload_id', UNKNOWN), file('abc')], [0, 3, 6], [404, 'not_found']],
    ['no id at all', [field('upload_id', 'nonsense'), file('abc')], [0, 3, 6], [404, 'not_found']],
    ['the same behind the file', [file('abc'), field('upload_id', UNKNOWN)], [0, 3, 6], [404, 'not_found']],
  ])('refuses %s, and leaves nothing behind', async (_what, parts, window, refusal) => {
    const before = await stored();
    expect(codeOf(await chunk(parts, window))).toEqual(refusal);
    expect(await stored()).toEqual(before);
  });

  it('refuses bodies that are no forms and ranges that are none, and leaves nothing behind', async () => {
    const before = await stored();
    const bodies: Sending[] = [
      { headers: { 'Content-Type': 'application/octet-stream' }, body: 'abc' },
      { headers: URLENCODED, body: 'file=abc' },
      { headers: { 'Content-Type': 'application/json' }, body: '{"file":"abc"}' },
      {},
    ];
    for (const body of bodies) expect(codeOf(await at('/chunked_upload', body))).toEqual([400, 'no_chunk']);
    for (const range of [
      'bytes 2-1/6',
      'bytes 0-2/2',
      'items 0-2/6',
      'nonsense',
      'bytes 0-2/6, bytes 0-2/6',
    ]) {
      const refused = await chunk([file('abc')], undefined, { headers: { 'Content-Range': range } });
      expect([range, ...codeOf(refused)]).toEqual([range, 400, 'content_range_invalid']);
    }
    expect(await stored()).toEqual(before);
  });

  it('keeps the total that the first chunk declared', async () => {
    const id = await begin();
    for (const window of [
      [3, 3, 7],
      [3, 3, 9_000],
    ] as Window[]) {
      const refused = await chunk([field('upload_id', id), file('def')], window);
      expect(codeOf(refused)).toEqual([400, 'size_mismatch']);
    }
  });

  it('takes one of equal chunks at once, and the file never outgrows the offset', async () => {
    const whole = noise(4000);
    for (let round = 0; round < 5; round++) {
      const first = await chunk([file(whole.subarray(0, 2000))], [0, 2000, 4000]);
      const id = String(first.json.upload_id);
      const next = () => chunk([field('upload_id', id), file(whole.subarray(2000))], [2000, 2000, 4000]);
      const answers = await Promise.all([1, 2, 3, 4].map(next));
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
      expect((await complete({ upload_id: id, md5: md5(whole) })).status).toBe(200);
    }
  });

  it('completes by a urlencoded form, a multipart one, or JSON', async () => {
    const whole = async () => ({ upload_id: await begin([0, 3, 3]), md5: md5('abc') });
    expect((await complete(await whole())).text).toBe('{}');
    const fields = await whole();
    const parts = form(field('upload_id', fields.upload_id), field('md5', fields.md5.toUpperCase()));
    expect((await at('/chunked_upload_complete/', parts)).text).toBe('{}');
    const json = { 'Content-Type': 'application/json' };
    const body = JSON.stringify(await whole());
    expect((await at('/chunked_upload_complete/', { headers: json, body })).text).toBe('{}');
  });

  it('answers with what onComplete returned, once and for every repetition', async () => {
    const created = await chunk([file('abc', 'answered.txt')]);
    const fields = { upload_id: String(created.json.upload_id), md5: md5('abc') };
    const before = hooks;
    for (let round = 0; round < 3; round++)
      expect((await complete(fields)).json).toEqual({ stored: 'answered.txt' });
    expect(hooks).toBe(before + 1);
  });

  it('refuses to complete what is not whole, not named, or not what was sent', async () => {
    const half = await begin();
    const whole = await begin([0, 3, 3]);
    const refusals = [
      await complete({ upload_id: half, md5: md5('abc') }),
      await complete({ md5: md5('abc') }),
      await complete({ upload_id: '', md5: md5('abc') }),
      await complete({ upload_id: UNKNOWN, md5: md5('abc') }),
      await complete({ upload_id: 'nonsense', md5: md5('abc') }),
      await complete({ upload_id: whole }),
      await complete({ upload_id: whole, md5: md5('abd') }),
      await complete({ upload_id: whole, md5: 'abc' }),
      await complete({ upload_id: whole, sha1: md5('abc') }),
      await at('/chunked_upload_complete', {}),
      await at('/chunked_upload_complete', {
        headers: { 'Content-Type': 'application/json' },
        body: `{"upload_id":7,"md5":"${md5('abc')}"}`,
      }),
      await complete({ upload_id: whole, md5: 'a'.repeat(20_000) }),
    ];
    expect(refusals.map(codeOf)).toEqual([
      [400, 'incomplete'],
      [400, 'malformed_request'],
      [400, 'malformed_request'],
      [404, 'not_found'],
      [404, 'not_found'],
      [400, 'checksum_missing'],
      [400, 'checksum_mismatch'],
      [400, 'checksum_malformed'],
      [400, 'checksum_unknown'],
      [400, 'malformed_request'],
      [400, 'malformed_request'],
      [400, 'body_too_large'],
    ]);
    expect(refusals[0]?.json.offset).toBe(3);
    expect((await complete({ upload_id: whole, md5: md5('abc') })).status).toBe(200);
  });

  it('refuses chunks for a complete upload, and both for an expired one', async () => {
    const done = await begin([0, 3, 3]);
    await complete({ upload_id: done, md5: md5('abc') });
    const late = await chunk([field('upload_id', done), file('d')], [3, 1, 4]);
    expect([...codeOf(late), late.json.offset]).toEqual([400, 'already_complete', 3]);

    const old = await begin([0, 3, 3]);
    await expire(old);
    await expire(done);
    expect(codeOf(await chunk([field('upload_id', old), file('d')], [3, 1, 4]))).toEqual([410, 'expired']);
    expect(codeOf(await complete({ upload_id: old, md5: md5('abc') }))).toEqual([410, 'expired']);
    // What is complete does not expire.
    expect((await complete({ upload_id: done, md5: md5('abc') })).status).toBe(200);
  });

  it('does not tell the upload of somebody else from one that is not there', async () => {
    const id = await begin([0, 3, 3]);
    const attempts = (named: string) => [
      chunk([field('upload_id', named), file('d')], [3, 1, 4], { user: 'eve' }),
      complete({ upload_id: named, md5: md5('abc') }, 'eve'),
      at(`/chunked_upload?upload_id=${named}`, { method: 'DELETE' }, 'eve'),
    ];
    const seen = await Promise.all(attempts(id));
    const unseen = await Promise.all(attempts(UNKNOWN));
    expect(seen.map(codeOf)).toEqual(Array<unknown>(3).fill([404, 'not_found']));
    expect(seen.map(({ text }) => text)).toEqual(unseen.map(({ text }) => text));
    expect((await complete({ upload_id: id, md5: md5('abc') })).status).toBe(200);
  });

  it('answers 403 to those who are not signed in', async () => {
    const id = await begin([0, 3, 3]);
    const refused = [
      await chunk([file('abc')], [0, 3, 3], { user: '' }),
      await complete({ upload_id: id, md5: md5('abc') }, ''),
      await at(`/chunked_upload?upload_id=${id}`, { method: 'DELETE' }, ''),
    ];
    expect(refused.map(codeOf)).toEqual(Array<unknown>(3).fill([403, 'unauthenticated']));
  });

  it('cancels by upload_id, in a form, in JSON, or in the query', async () => {
    const cancel = (sending: Sending, query = '') =>
      at(`/chunked_upload${query}`, { ...sending, method: 'DELETE' });
    const ids = [await begin(), await begin(), await begin(), await begin()];
    const answers = [
      await cancel({ headers: URLENCODED, body: `upload_id=${ids[0]}` }),
      await cancel(form(field('upload_id', ids[1]))),
      await cancel({
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ upload_id: dashed(ids[2]) }),
      }),
      await cancel({}, `/?upload_id=${ids[3]}`),
    ];
    expect(answers.map(({ status, text }) => [status, text])).toEqual(Array<unknown>(4).fill([204, '']));
    for (const id of ids) {
      expect(codeOf(await chunk([field('upload_id', id), file('d')], [3, 1, 6]))).toEqual([404, 'not_found']);
      expect((await app.files()).filter((path) => path.includes(dashed(id)))).toEqual([]);
    }
    expect(codeOf(await cancel({ headers: URLENCODED, body: `upload_id=${ids[0]}` }))).toEqual([
      404,
      'not_found',
    ]);
    expect(codeOf(await cancel({}))).toEqual([400, 'malformed_request']);
  });

  it('acts on the same uploads as the REST door', async () => {
    const rest = (id: string, sending: Sending = {}) => at(`/upload/${id}`, { method: 'GET', ...sending });
    const id = await begin();
    expect((await rest(id)).json).toMatchObject({ id: dashed(id), offset: 3, size: 6 });
    const continued = await rest(id, {
      method: 'PUT',
      headers: { 'Content-Range': 'bytes 3-5/6' },
      body: 'def',
    });
    expect(continued.json.offset).toBe(6);
    expect((await complete({ upload_id: id, md5: md5('abcdef') })).text).toBe('{}');
    expect((await at(`/upload/${id}/content`, { method: 'GET' })).text).toBe('abcdef');

    const begun = await at('/upload', {
      method: 'PUT',
      headers: { 'Content-Range': 'bytes 0-2/6' },
      body: 'abc',
    });
    const other = String(begun.json.id);
    const appended = await chunk([field('upload_id', other), file('def')], [3, 3, 6]);
    expect(appended.json).toMatchObject({ upload_id: other.replaceAll('-', ''), offset: 6 });
    const json = { 'Content-Type': 'application/json' };
    const finished = await rest(other, {
      method: 'POST',
      headers: json,
      body: JSON.stringify({ md5: md5('abcdef') }),
    });
    expect(finished.json.status).toBe('complete');

    const third = await begin();
    expect((await rest(third, { method: 'DELETE' })).status).toBe(204);
    expect(codeOf(await chunk([field('upload_id', third), file('def')], [3, 3, 6]))).toEqual([
      404,
      'not_found',
    ]);
  });

  it.each([
    ['/chunked_upload', 'DELETE, OPTIONS, POST', ['GET', 'HEAD', 'PUT', 'PATCH']],
    ['/chunked_upload_complete', 'OPTIONS, POST', ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE']],
  ])('tells which methods %s has', async (path, allow, others) => {
    for (const slash of ['', '/']) {
      const options = await at(`${path}${slash}`, { method: 'OPTIONS' });
      expect([options.status, options.headers.allow]).toEqual([204, allow]);
      for (const method of others) {
        const refused = await at(`${path}${slash}`, { method });
        expect([method, refused.status, refused.headers.allow]).toEqual([method, 405, allow]);
      }
    }
  });
});
