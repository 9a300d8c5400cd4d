import { randomUUID } from 'node:crypto';
import { link, mkdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createProgram } from '../../src/cli/program.js';
import { type ChunkedUploadOptions, LocalStorage, UploadSweep } from '../../src/index.js';
import { form, md5, noise, UploadClient } from '../support/http.js';
import { startTestApp, type TestApp } from '../support/test-app.js';
import { DjangoProject } from './support/django.js';

const CREATED = '2025-03-04T05:06:07.890Z';
const hex = () => randomUUID().replaceAll('-', '');

const upload: Partial<ChunkedUploadOptions> = {
  doors: ['rest', 'form-post'],
  resolveUser: (request) => (request as { headers: Record<string, string> }).headers['x-user'] ?? null,
};

let django: DjangoProject;
let server: TestApp;
let client: UploadClient;

const start = async (tables: Parameters<typeof DjangoProject.create>) => {
  django = await DjangoProject.create(...tables);
  server = await startTestApp({ upload });
  client = new UploadClient(`${server.origin}/upload`);
};

afterEach(async () => {
  jest.restoreAllMocks();
  process.exitCode = 0;
  await server.close();
  await django.remove();
});

/** Runs the command in a second instance. Problems and report come back as JSON. */
const run = async (flags: readonly string[] = [], settings: Partial<ChunkedUploadOptions> = {}) => {
  const printed = jest.spyOn(console, 'log').mockImplementation(() => undefined);
  const told = jest.spyOn(console, 'error').mockImplementation(() => undefined);
  process.exitCode = 0;
  const open = async () => {
    const { database, root } = server;
    return (await startTestApp({ database, root, upload: { ...upload, ...settings } })).app;
  };
  const program = createProgram(open);
  for (const command of [program, ...program.commands])
    command.exitOverride().configureOutput({ writeErr: () => undefined });
  const fixed = ['import-django', '--from', django.url, '--media', django.media, '--json'];
  await program.parseAsync([...fixed, ...flags], { from: 'user' });
  const lines = (mock: typeof told) => mock.mock.calls.map(([line]) => JSON.parse(String(line)) as object);
  const result = { report: lines(printed)[0], problems: lines(told), exitCode: process.exitCode };
  jest.restoreAllMocks();
  return result;
};

describe('import-django from django-chunked-upload', () => {
  const table = 'chunked_upload_chunkedupload';
  const row = (id: string, values: object) => ({
    upload_id: id,
    file: `chunked_uploads/2025/03/04/${id}.part`,
    filename: 'film.mp4',
    created_on: CREATED,
    status: 1,
    user_id: 7,
    ...values,
  });

  beforeEach(() => start(['dcu']));

  it('brings complete uploads with their bytes, users, times and checksums', async () => {
    const [id, bytes] = [hex(), noise(3_000_000)];
    await django.add(table, row(id, { offset: bytes.length, status: 2, completed_on: CREATED }), bytes);
    expect(await run()).toEqual({
      report: {
        dryRun: false,
        complete: 1,
        unfinished: 0,
        bytes: bytes.length,
        present: 0,
        passedOver: 0,
        withoutFile: 0,
        problems: 0,
      },
      problems: [],
      exitCode: 0,
    });
    const content = await client.as({ 'x-user': '7' }).send(`/${id}/content`);
    expect(content.bytes.equals(bytes)).toBe(true);
    expect(content.headers['content-type']).toBe('video/mp4');
    expect((await client.as({ 'x-user': '8' }).send(`/${id}`)).status).toBe(404);
    const [{ checksums, created_at, completed_at, size, storage_key } = {}] = await server.rows();
    expect(checksums).toEqual({ md5: md5(bytes) });
    expect([created_at, completed_at]).toEqual([new Date(CREATED), new Date(CREATED)]);
    expect(size).toBe(String(bytes.length));
    expect(storage_key).toMatch(/^2025\/03\/04\//);
    expect(await server.app.get(UploadSweep).run({ graceMs: 0 })).toMatchObject({
      orphanObjects: 0,
      lostFiles: [],
    });
  });

  it('brings unfinished uploads, which go on through form-post by their 32 digits', async () => {
    const id = hex();
    await django.add(table, row(id, { offset: 5 }), 'hello, torn tail');
    expect(await run()).toMatchObject({ report: { unfinished: 1, bytes: 5 }, exitCode: 0 });
    const page = new UploadClient(server.origin, { 'x-user': '7' });
    const { headers, body } = form(
      { name: 'upload_id', value: id },
      { name: 'file', value: ' world', filename: 'film.mp4' },
    );
    const chunk = await page.send('/chunked_upload', {
      method: 'POST',
      headers: { ...headers, 'Content-Range': 'bytes 5-10/11' },
      body,
    });
    expect([chunk.status, chunk.json.offset]).toEqual([200, 11]);
    const done = await page.post('/chunked_upload_complete', { upload_id: id, md5: md5('hello world') });
    expect(done.status).toBe(200);
    expect((await client.as({ 'x-user': '7' }).send(`/${id}/content`)).text).toBe('hello world');
  });

  it('brings unfinished uploads, which go on through REST, anonymous and empty ones too', async () => {
    const [begun, empty] = [hex(), hex()];
    await django.add(table, row(begun, { offset: 2, user_id: null }), 'ab');
    await django.add(table, row(empty, { offset: 0, user_id: null }), '');
    expect(await run()).toMatchObject({ report: { unfinished: 2, problems: 0 } });
    for (const [id, offset] of [
      [begun, 2],
      [empty, 0],
    ] as const) {
      expect((await client.put(`/${id}`, 'abcd', { start: offset })).json.offset).toBe(4);
      expect((await client.complete(id, { md5: md5('abcd') })).status).toBe(200);
    }
    expect(await server.files()).toHaveLength(2);
  });

  it('says which uploads cannot be imported, and imports the others', async () => {
    const bad = (file: string, values: object = {}, bytes?: string) =>
      django.add(table, row(hex(), { offset: 5, file, ...values }), bytes);
    await mkdir(join(django.media, 'folder'));
    await writeFile(`${django.media}-secret`, 'secret');
    await symlink(`${django.media}-secret`, join(django.media, 'link'));
    await bad('gone.part');
    await bad('folder');
    await bad('link');
    await bad(`../${django.media.split('/').at(-1)}-secret`);
    await bad('/etc/hostname', { offset: 1 });
    await bad('short.part', {}, 'hell');
    await bad('long.part', { status: 2 }, 'hello!');
    await bad('name.part', { filename: 'ä'.repeat(128) }, 'hello');
    await bad('id.part', { upload_id: 'not an id' }, 'hello');
    await bad('', { status: 2 });
    await bad('failed.part', { status: 3 }, 'hello');
    await bad('good.part', {}, 'hello');
    const { report, problems, exitCode } = await run();
    await rm(`${django.media}-secret`);
    expect(report).toMatchObject({ unfinished: 1, complete: 0, withoutFile: 1, passedOver: 1, problems: 9 });
    expect(problems.map((problem) => (problem as { reason: string }).reason)).toEqual([
      'missing',
      'missing',
      'outside',
      'outside',
      'outside',
      'short',
      'long',
      'filename',
      'id',
    ]);
    expect(exitCode).toBe(1);
    expect(await server.files()).toHaveLength(1);
    expect(await server.rows()).toHaveLength(1);
  });

  it('can be repeated: what is here is passed over, and stays as it is', async () => {
    const [first, second] = [hex(), hex()];
    await django.add(table, row(first, { offset: 5 }), 'hello');
    await run();
    await client.as({ 'x-user': '7' }).put(`/${first}`, 'hello, world', { start: 5 });
    await django.add(table, row(second, { offset: 5, status: 2 }), 'hello');
    expect(await run()).toMatchObject({ report: { present: 1, complete: 1, unfinished: 0 }, exitCode: 0 });
    expect((await client.as({ 'x-user': '7' }).send(`/${first}`)).json.offset).toBe(12);
  });

  it('says which rows the app does not take, and keeps nothing of their bytes', async () => {
    await server.dataSource.query('ALTER TABLE chunked_upload ADD CHECK (user_id IS NOT NULL)');
    await django.add(table, row(hex(), { offset: 5, user_id: null }), 'hello');
    expect(await run()).toMatchObject({ problems: [{ reason: 'refused' }], exitCode: 1 });
    expect(await server.files()).toEqual([]);
  });

  it('writes over what a run left that was cut off', async () => {
    const id = hex();
    await django.add(table, row(id, { offset: 5, status: 2 }), 'hello');
    await run();
    await server.dataSource.query('DELETE FROM chunked_upload');
    await writeFile(join(server.root, (await server.files())[0] as string), 'torn');
    expect(await run()).toMatchObject({ report: { complete: 1 } });
    expect((await client.as({ 'x-user': '7' }).send(`/${id}/content`)).text).toBe('hello');
    expect(await server.files()).toHaveLength(1);
  });

  it('only looks in a dry run, reads in batches, and leaves unfinished ones if told to', async () => {
    await django.write('one.part', 'hello');
    await django.query(
      `INSERT INTO ${table} (upload_id, file, filename, "offset", created_on, status)
       SELECT md5(n::text), 'one.part', 'a', 5, now(), 1 + n % 2 FROM generate_series(1, 1203) n`,
    );
    expect(await run(['--dry-run'])).toMatchObject({
      report: { dryRun: true, complete: 602, unfinished: 601 },
    });
    expect(await run(['--dry-run', '--complete-only'])).toMatchObject({
      report: { complete: 602, passedOver: 601 },
    });
    expect([await server.rows(), await server.files()]).toEqual([[], []]);
  });

  it('links complete files where the storage can, and never unfinished ones', async () => {
    const [whole, part] = [hex(), hex()];
    await django.add(table, row(whole, { offset: 5, status: 2 }), 'hello');
    await django.add(table, row(part, { offset: 5 }), 'hello');
    const storage = adopting(server.root);
    expect(await run(['--link'], { storage })).toMatchObject({ report: { complete: 1, unfinished: 1 } });
    const names = await server.files();
    const links = await Promise.all(names.map(async (name) => (await stat(join(server.root, name))).nlink));
    expect(Object.fromEntries(names.map((name, i) => [name.slice(-4), links[i]]))).toEqual({
      done: 2,
      part: 1,
    });
    expect((await client.as({ 'x-user': '7' }).send(`/${whole}/content`)).text).toBe('hello');
  });

  it('stops at Ctrl-C between two uploads, and goes on when it is run again', async () => {
    for (let n = 0; n < 3; n++) await django.add(table, row(hex(), { offset: 5, status: 2 }), 'hello');
    const stored = LocalStorage.prototype.finish;
    const finish = jest.spyOn(LocalStorage.prototype, 'finish').mockImplementation(function (
      this: LocalStorage,
      ...args
    ) {
      process.emit('SIGINT');
      return stored.apply(this, args);
    });
    expect(await run()).toMatchObject({ report: { complete: 1 }, exitCode: 130 });
    finish.mockRestore();
    expect(await run()).toMatchObject({ report: { complete: 2, present: 1 }, exitCode: 0 });
  });

  it('does nothing while a sweep runs', async () => {
    const lock = server.dataSource.createQueryRunner();
    await lock.query(`SELECT pg_advisory_lock(hashtextextended('chunked-upload-sweep', 0))`);
    expect(await run()).toEqual({ report: null, problems: [], exitCode: 1 });
    await lock.query('SELECT pg_advisory_unlock_all()');
    await lock.release();
  });

  it.each([
    [['--table', 'nothing'], 'There is no table nothing'],
    [['--table', 'chunked_upload'], 'those of no known Django app'],
    [['--layout', 'drf-chunked-upload'], 'has the columns created_at, completed_at'],
    [['--user-column', 'person_id'], 'no column person_id'],
    [['--type', 'Nothing'], 'there are: ChunkedUpload'],
    [['--owner', 'person'], 'Write a content type'],
    [['--media', '/nowhere'], 'is not there'],
    [['--link', '--copy'], 'cannot be used with'],
  ])('refuses %j', async (flags, message) => {
    await expect(run(flags)).rejects.toThrow(message);
  });
});

describe('import-django from drf-chunked-upload', () => {
  it('keeps ids, with and without hyphens', async () => {
    await start(['drf']);
    const id = randomUUID();
    const row = { id, filename: 'a.txt', created_at: CREATED, user_id: 3, offset: 5, file: `${id}.part` };
    await django.add('drf_chunked_upload_chunkedupload', { ...row, status: 1 }, 'hello');
    const deleted = { ...row, id: randomUUID(), file: null, status: 1 };
    await django.add('drf_chunked_upload_chunkedupload', deleted);
    expect(await run()).toMatchObject({ report: { unfinished: 1, withoutFile: 1 }, exitCode: 0 });
    const user = client.as({ 'x-user': '3' });
    expect((await user.put(`/${id}`, 'hello!', { start: 5 })).json).toMatchObject({
      id,
      offset: 6,
      filename: 'a.txt',
    });
    expect((await user.complete(id, { md5: md5('hello!') })).json.completed_at).not.toBeNull();
  });

  it('knows owners by the names of their content types, and creators', async () => {
    await start(['owners']);
    await django.query(
      `INSERT INTO django_content_type VALUES (11, 'crm', 'person'), (12, 'shop', 'product')`,
    );
    const add = (owner_type_id: number, owner_id: number) => {
      const id = randomUUID();
      const values = { id, filename: 'a.mp4', created_at: CREATED, completed_at: CREATED, creator_id: 5 };
      const rest = { offset: 5, status: 2, file: `videos/${id}.done.mp4`, owner_type_id, owner_id };
      return django.add('uploads_videoupload', { ...values, ...rest }, 'hello');
    };
    await add(11, 1);
    await add(12, 2);
    expect(
      await run(['--table', 'public.uploads_videoupload', '--owner', 'shop.product=article']),
    ).toMatchObject({ report: { complete: 2 }, exitCode: 0 });
    const rows = await server.rows();
    expect(rows.map(({ user_id, owner_type, owner_id }) => [user_id, owner_type, owner_id]).sort()).toEqual([
      ['5', 'article', '2'],
      ['5', 'person', '1'],
    ]);
  });
});

describe('import-django from django-chunked-uploads', () => {
  const table = 'chunked_uploads_upload';
  const row = (uuid: string, values: object) => ({
    uuid,
    user_id: 9,
    filename: 'talk.mp4',
    filesize: 11,
    upload: '',
    md5: '',
    state: 1,
    created_at: CREATED,
    ...values,
  });

  beforeEach(() => start(['iri']));

  it('compares what was put together with its MD5', async () => {
    const [right, wrong] = [randomUUID(), randomUUID()];
    const whole = (id: string) => ({
      state: 2,
      upload: `chunked_uploads/${id}/talk.mp4`,
      md5: md5('hello world'),
    });
    await django.add(table, row(right, whole(right)), 'hello world');
    await django.add(table, row(wrong, whole(wrong)), 'HELLO WORLD');
    expect(await run()).toMatchObject({
      report: { complete: 1, problems: 1 },
      problems: [{ id: wrong, reason: 'checksum' }],
      exitCode: 1,
    });
    expect(await server.files()).toHaveLength(1);
    expect((await client.as({ 'x-user': '9' }).send(`/${right}`)).json.status).toBe('complete');
  });

  it('joins the chunks of an unfinished upload, which goes on', async () => {
    const id = randomUUID();
    await django.add(table, row(id, {}));
    for (const [i, chunk] of ['hel', 'lo '].entries()) {
      const file = `chunked_uploads/${id}/chunks/chunk${i}`;
      await django.add(
        'chunked_uploads_chunk',
        { upload_id: 1, chunk: file, chunk_size: 3, created_at: CREATED },
        chunk,
      );
    }
    expect(await run()).toMatchObject({ report: { unfinished: 1, bytes: 6 }, exitCode: 0 });
    const user = client.as({ 'x-user': '9' });
    expect((await user.send(`/${id}`)).json).toMatchObject({ offset: 6, size: 11 });
    await user.put(`/${id}`, 'hello world', { start: 6 });
    expect((await user.complete(id, { md5: md5('hello world') })).status).toBe(200);
  });
});

/** A storage of files that takes them over by a link. */
function adopting(root: string): LocalStorage {
  const storage = new LocalStorage({ root });
  return Object.assign(storage, {
    adopt: async (stored: { storageKey: string }, path: string) => {
      await storage.check();
      const name = join(root, `${stored.storageKey}.done`);
      await mkdir(dirname(name), { recursive: true });
      await link(path, name);
      return { volume: 'any', generation: 0, finished: true };
    },
  });
}
