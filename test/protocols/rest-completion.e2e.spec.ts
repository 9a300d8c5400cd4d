import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ConflictException, HttpException, UnprocessableEntityException } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import { CHECKSUM_ALGORITHMS, type ChunkedUploadOptions, UploadError } from '../../src/index.js';
import { type Answer, file, form, hash, md5, UploadClient } from '../support/http.js';
import { ADAPTERS, startTestApp, type TestApp } from '../support/test-app.js';

type HookName = 'beforeCreate' | 'beforeChunk' | 'beforeComplete' | 'onComplete';
type Hooks = { -readonly [Name in HookName]?: ChunkedUploadOptions[Name] };

const SUM = md5('content');

/** Of `abc`, by the algorithms' own test vectors, where Node has them not. */
const OF_ABC: Record<string, string> = {
  'sha3-256': hash('sha3-256', 'abc'),
  'sha3-512': hash('sha3-512', 'abc'),
  blake2b: hash('blake2b512', 'abc'),
  blake2s: hash('blake2s256', 'abc'),
  blake3: '6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85',
  crc32: crc32('abc').toString(16),
  crc32c: '364b3fb7',
  xxhash64: '44bc2cf5ad770999',
  xxhash128: '06b05ab6733a618578af5f94892f3950',
};
const sumOfAbc = (algorithm: string) => OF_ABC[algorithm] ?? hash(algorithm, 'abc');

describe.each(ADAPTERS)('Completing on %s', (adapter) => {
  let app: TestApp;
  let client: UploadClient;
  let hooks: Hooks;
  let many: TestApp;
  let manyClient: UploadClient;
  let unchecked: TestApp;
  let uncheckedClient: UploadClient;

  beforeAll(async () => {
    const upload: Hooks = {
      beforeCreate: (...args) => hooks.beforeCreate?.(...args),
      beforeChunk: (...args) => hooks.beforeChunk?.(...args),
      beforeComplete: (...args) => hooks.beforeComplete?.(...args),
      onComplete: (...args) => hooks.onComplete?.(...args),
    };
    app = await startTestApp({ adapter, upload });
    await app.dataSource.query('CREATE TABLE picture (upload_id uuid PRIMARY KEY, title text NOT NULL)');
    client = new UploadClient(`${app.origin}/upload`);
    many = await startTestApp({ adapter, upload: { checksum: CHECKSUM_ALGORITHMS } });
    manyClient = new UploadClient(`${many.origin}/upload`);
    unchecked = await startTestApp({ adapter, upload: { checksum: false } });
    uncheckedClient = new UploadClient(`${unchecked.origin}/upload`);
  });
  beforeEach(() => {
    hooks = {};
  });
  afterAll(() => Promise.all([app, many, unchecked].map((one) => one.close())));

  const codeOf = ({ status, json }: Answer) => [status, json.code];
  const statusOf = async (id: string) => (await app.rows()).find((row) => row.id === id)?.status;
  const pictures = () => app.dataSource.query<{ title: string }[]>('SELECT * FROM picture ORDER BY title');

  it('says which checksums a completion may give, until it is complete (RFC 9530)', async () => {
    const id = await client.create('content');
    expect((await client.send(`/${id}`)).headers['want-repr-digest']).toBe('md5=10');
    expect((await client.complete(id, { md5: SUM })).headers['want-repr-digest']).toBeUndefined();
    const other = await manyClient.send(`/${await manyClient.create('content')}`);
    const wanted = String(other.headers['want-repr-digest']).split(', ');
    expect(wanted).toHaveLength(CHECKSUM_ALGORITHMS.length);
    expect(wanted).toEqual(
      expect.arrayContaining(['md5=10', 'sha-256=10', 'sha-512=10', 'sha=10', 'blake3=10']),
    );
    const none = await uncheckedClient.send(`/${await uncheckedClient.create('content')}`);
    expect(none.headers['want-repr-digest']).toBeUndefined();
  });

  it('refuses what has not arrived whole, and says how far it came', async () => {
    const id = await client.create('content', { length: 3 });
    const refused = await client.complete(id, { md5: SUM });
    expect(codeOf(refused)).toEqual([400, 'incomplete']);
    expect(refused.json).toMatchObject({ offset: 3, expected_offset: 3 });
    expect(refused.headers['upload-offset']).toBe('3');
    expect(await statusOf(id)).toBe('uploading');
  });

  it.each<[string, object, number, string]>([
    ['none', {}, 400, 'checksum_missing'],
    ['another name', { checksum: SUM }, 400, 'checksum_missing'],
    ['an algorithm that was not computed', { sha256: hash('sha256', 'content') }, 400, 'checksum_unknown'],
    ['one computed and one that was not', { md5: SUM, crc32: '00000000' }, 400, 'checksum_unknown'],
    ['another file', { md5: md5('other') }, 400, 'checksum_mismatch'],
    ['too few digits', { md5: SUM.slice(1) }, 400, 'checksum_malformed'],
    ['too many digits', { md5: `${SUM}0` }, 400, 'checksum_malformed'],
    ['base64', { md5: Buffer.from(SUM, 'hex').toString('base64') }, 400, 'checksum_malformed'],
    ['no hex', { md5: 'z'.repeat(32) }, 400, 'checksum_malformed'],
    ['a line break', { md5: `${SUM.slice(1)}\n` }, 400, 'checksum_malformed'],
    ['an array', { md5: [SUM] }, 400, 'checksum_malformed'],
    ['a number', { md5: 12345678 }, 400, 'checksum_malformed'],
    ['null', { md5: null }, 400, 'checksum_malformed'],
    ['an object', { md5: { $ne: '' } }, 400, 'checksum_malformed'],
    ['true', { md5: true }, 400, 'checksum_malformed'],
    ['15 kB', { md5: 'a'.repeat(15_000) }, 400, 'checksum_malformed'],
    ['1 MB', { md5: 'a'.repeat(1_000_000) }, 413, 'body_too_large'],
    [
      'a polluting key',
      JSON.parse('{"__proto__":{"md5":"x"},"constructor":"x"}') as object,
      400,
      'checksum_missing',
    ],
  ])('refuses a checksum that is %s; the right one still completes', async (_what, fields, status, code) => {
    const id = await client.create('content');
    expect(codeOf(await client.complete(id, fields))).toEqual([status, code]);
    expect(await statusOf(id)).toBe('uploading');
    expect((await client.complete(id, { md5: SUM.toUpperCase() })).json).toMatchObject({
      status: 'complete',
      checksums: { md5: SUM },
    });
    expect(({} as { md5?: string }).md5).toBeUndefined();
  });

  it.each([...CHECKSUM_ALGORITHMS])('computes %s over chunks', async (algorithm) => {
    const created = await manyClient.put('', 'abc', { length: 1 });
    const id = String(created.json.id);
    await manyClient.put(`/${id}`, 'abc', { start: 1 });
    const wrong = await manyClient.complete(id, {
      [algorithm]: sumOfAbc(algorithm).replace(/^./, (c) => (c === '0' ? '1' : '0')),
    });
    expect(codeOf(wrong)).toEqual([400, 'checksum_mismatch']);
    expect(wrong.json.algorithms).toEqual(expect.arrayContaining([...CHECKSUM_ALGORITHMS]));
    const completed = await manyClient.complete(id, { [algorithm]: sumOfAbc(algorithm) });
    expect(completed.status).toBe(200);
    expect((completed.json.checksums as Record<string, string>)[algorithm]).toBe(sumOfAbc(algorithm));
  });

  it('wants every checksum that is sent to be right', async () => {
    const id = await manyClient.create('abc');
    const sums = { md5: md5('abc'), sha256: hash('sha256', 'abc') };
    expect(codeOf(await manyClient.complete(id, { ...sums, sha1: hash('sha1', 'x') }))).toEqual([
      400,
      'checksum_mismatch',
    ]);
    const completed = await manyClient.complete(id, sums);
    expect(completed.json.checksums).toEqual(
      Object.fromEntries(CHECKSUM_ALGORITHMS.map((name) => [name, sumOfAbc(name)])),
    );
  });

  it('asks for no checksum when none is computed', async () => {
    const id = await uncheckedClient.create('content');
    const other = await uncheckedClient.create('content');
    const checked = await uncheckedClient.complete(other, { md5: 'not looked at' });
    expect(checked.json).toMatchObject({ status: 'complete', checksums: {} });
    const completed = await uncheckedClient.send(`/${id}`, { method: 'POST' });
    expect(completed.json).toMatchObject({ status: 'complete', checksums: {} });
    const whole = await uncheckedClient.send('', { method: 'POST', ...form(file('content')) });
    expect(whole.json).toMatchObject({ status: 'complete', size: 7 });
    const etag = String((await uncheckedClient.send(`/${id}/content`)).headers.etag);
    expect(etag).toBe(`"${id}"`);
  });

  it('gives the same answer to the same completion, and refuses another', async () => {
    let runs = 0;
    hooks.onComplete = () => void runs++;
    const id = await client.create('content');
    const [first, second, third] = [
      await client.complete(id, { md5: SUM }),
      await client.complete(id, { md5: SUM }),
      await client.complete(id, { md5: SUM.toUpperCase() }),
    ];
    expect([first.status, second.text, third.text]).toEqual([200, first.text, first.text]);
    expect(runs).toBe(1);
    expect(codeOf(await client.complete(id, { md5: md5('other') }))).toEqual([400, 'checksum_mismatch']);
    expect(codeOf(await client.complete(id, {}))).toEqual([400, 'checksum_missing']);
    expect(codeOf(await client.put(`/${id}`, 'content'))).toEqual([400, 'already_complete']);
    expect((await client.send(`/${id}/content`)).text).toBe('content');
  });

  it('runs the hook once for many completions at a time', async () => {
    let runs = 0;
    hooks.onComplete = async () => {
      runs++;
      await sleep(50);
      return { run: runs };
    };
    const id = await client.create('content');
    const answers = await Promise.all(Array.from({ length: 8 }, () => client.complete(id, { md5: SUM })));
    for (const { status, json, headers } of answers) {
      if (status === 423)
        expect([json.code, headers['retry-after']]).toEqual(['busy', expect.stringMatching(/^\d+$/)]);
      else expect([status, json]).toEqual([200, { run: 1 }]);
    }
    expect(answers.filter(({ status }) => status === 200).length).toBeGreaterThanOrEqual(1);
    expect((await client.complete(id, { md5: SUM })).json).toEqual({ run: 1 });
    expect(runs).toBe(1);
  });

  it('lets a completion run to its end, whoever asks for another one meanwhile', async () => {
    let checks = 0;
    hooks.beforeComplete = async () => {
      checks++;
      await sleep(150);
    };
    const id = await client.create('content');
    const first = client.complete(id, { md5: SUM });
    await sleep(50);
    const second = await client.complete(id, { md5: SUM });
    expect(codeOf(second)).toEqual([423, 'busy']);
    expect([(await first).status, (await first).json.status, checks]).toEqual([200, 'complete', 1]);
  });

  it.each<[string, unknown]>([
    ['an object', { zebra: 1, a: [{ b: 'ü' }], nested: { y: 1, x: null } }],
    ['a list', [1, 2]],
    ['an empty object', {}],
    ['a text', 'done'],
    ['a number', 0],
    ['false', false],
  ])('answers with what the hook returned, %s, now and when asked again', async (_what, result) => {
    hooks.onComplete = () => result;
    const id = await client.create('content');
    const first = await client.complete(id, { md5: SUM });
    expect(first.status).toBe(200);
    expect(typeof result === 'string' ? first.text : JSON.parse(first.text)).toEqual(result);
    const second = await client.complete(id, { md5: SUM });
    expect([second.status, second.text, second.headers['content-type']]).toEqual([
      200,
      first.text,
      first.headers['content-type'],
    ]);
  });

  it.each<[string, () => Error, number, string]>([
    ['a conflict', () => new ConflictException('There is one of that name.'), 409, 'refused'],
    [
      'a conflict about something closed',
      () => new ConflictException('The project is closed.'),
      409,
      'refused',
    ],
    [
      'a conflict about what has ended',
      () => new ConflictException('Not recommended: the sale has ended.'),
      409,
      'refused',
    ],
    ['a status of its own', () => new HttpException('A teapot.', 418), 418, 'refused'],
    ['a refusal of ours', () => new UploadError('too_small', 'Too few pages.'), 400, 'too_small'],
    ['a failure', () => new Error('canary-4711'), 500, 'internal_error'],
    [
      'a failure about a closed thing',
      () => new Error('canary-4711: the file is closed'),
      500,
      'internal_error',
    ],
  ])(
    'answers %s of the hook with its status, undoes everything, and succeeds later',
    async (_what, make, status, code) => {
      hooks.onComplete = async ({ id }, { manager }) => {
        await manager.query(`INSERT INTO picture VALUES ($1, 'never')`, [id]);
        throw make();
      };
      const id = await client.create('content');
      const refused = await client.complete(id, { md5: SUM });
      expect(codeOf(refused)).toEqual([status, code]);
      expect(refused.text).not.toContain('canary');
      expect([await statusOf(id), await pictures()]).toEqual(['uploading', []]);
      expect(codeOf(await client.send(`/${id}/content`))).toEqual([400, 'incomplete']);
      hooks.onComplete = () => ({ ok: true });
      expect((await client.complete(id, { md5: SUM })).json).toEqual({ ok: true });
      expect((await client.send(`/${id}/content`)).text).toBe('content');
    },
  );

  it('makes the rows of the hook and the upload visible together', async () => {
    const seen: unknown[] = [];
    hooks.onComplete = async (upload, { manager, userId, request }) => {
      await manager.query('INSERT INTO picture VALUES ($1, $2)', [upload.id, upload.filename]);
      seen.push(
        upload.status,
        upload.checksums,
        userId,
        typeof request,
        await statusOf(upload.id),
        await pictures(),
      );
    };
    const id = await client.store('content', { query: '?filename=a.png' });
    expect(seen).toEqual(['complete', { md5: SUM }, null, 'object', 'completing', []]);
    expect([await statusOf(id), await pictures()]).toEqual(['complete', [{ upload_id: id, title: 'a.png' }]]);
    await app.dataSource.query('DELETE FROM picture');
  });

  it('lets hooks refuse before anything happens', async () => {
    const kept = await client.create('content', { length: 3 });
    const before = [(await app.rows()).length, await app.files()];
    const refuse = () => {
      throw new UnprocessableEntityException(['one', 'two']);
    };
    hooks = { beforeCreate: refuse, beforeChunk: refuse, beforeComplete: refuse };
    const refusals = [
      await client.put('', 'content'),
      await client.send('', { method: 'POST', ...form(file('content'), { name: 'md5', value: SUM }) }),
      await client.put(`/${kept}`, 'content', { start: 3 }),
    ];
    hooks = { beforeComplete: refuse };
    await client.put(`/${kept}`, 'content', { start: 3 });
    refusals.push(await client.complete(kept, { md5: SUM }));
    for (const refused of refusals) {
      expect(codeOf(refused)).toEqual([422, 'refused']);
      expect(refused.json.detail).toBe('one; two');
    }
    expect([(await app.rows()).length, await app.files()]).toEqual(before);
    hooks = {};
    expect((await client.complete(kept, { md5: SUM })).status).toBe(200);
  });

  it('tells hooks what is known, and keeps what beforeCreate adds, but not what it must not', async () => {
    const drafts: unknown[] = [];
    hooks.beforeCreate = (draft) => {
      drafts.push(draft);
      return {
        metadata: { album: 7 },
        id: '01234567-89ab-4cde-8f01-23456789abcd',
        status: 'complete',
        offset: 99,
      };
    };
    const windows: unknown[] = [];
    hooks.beforeChunk = (upload, window) => void windows.push([upload.offset, window]);
    const raw = await client.put('?filename=a.png', 'content', { length: 3 });
    const sent = form(file('con', 'blob'), { name: 'filename', value: 'a.png' });
    const inForm = await client.send('', {
      method: 'PUT',
      ...sent,
      headers: { ...sent.headers, 'Content-Range': 'bytes 0-2/7' },
    });
    for (const { status, json } of [raw, inForm])
      expect([status, json]).toEqual([
        200,
        expect.objectContaining({ metadata: { album: 7 }, status: 'uploading', offset: 3 }),
      ]);
    expect(new Set([raw.json.id, inForm.json.id, '01234567-89ab-4cde-8f01-23456789abcd']).size).toBe(3);
    const draft = {
      filename: 'a.png',
      contentType: 'image/png',
      size: 7,
      userId: null,
      ownerType: null,
      ownerId: null,
    };
    expect(drafts).toEqual([draft, draft]);
    await client.put(`/${String(raw.json.id)}`, 'content', { start: 3 });
    expect(windows).toEqual([[3, { start: 3, end: 7, total: 7 }]]);
  });
});
