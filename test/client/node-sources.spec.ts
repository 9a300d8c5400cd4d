import { spawnSync } from 'node:child_process';
import {
  appendFile,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  ChunkedUpload,
  type ChunkedUploadOptions,
  FileStore,
  type StoredUpload,
  type UploadSource,
  uploadKey,
} from '../../src/client/node.js';
import { CompiledSources } from '../support/compiled-sources.js';
import { bytesOf, type FileSpec } from './support/agent.js';
import { startNodeClient } from './support/node-client.js';
import { ClientRig } from './support/rig.js';

const CHUNK = 64 * 1024;
const FILE: FileSpec = { name: 'film.bin', bytes: 5 * CHUNK + 11 };

describe('The client in Node', () => {
  let rig: ClientRig;
  let folder: string;
  let path: string;

  beforeAll(async () => {
    rig = await ClientRig.start(startNodeClient);
  });
  afterAll(() => rig.stop());
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sources-'));
    path = join(folder, FILE.name);
    await writeFile(path, bytesOf(FILE));
  });
  afterEach(async () => {
    await rig.clear();
    await rm(folder, { recursive: true, force: true });
  });

  const create = (source: UploadSource, options: Partial<ChunkedUploadOptions> = {}) =>
    new ChunkedUpload(source, {
      endpoint: `${rig.proxy.origin}/upload`,
      store: false,
      chunkBytes: CHUNK,
      filename: FILE.name,
      ...options,
      retry: { minDelayMs: 20, maxDelayMs: 200, ...options.retry },
    });
  const upload = (source: UploadSource, options: Partial<ChunkedUploadOptions> = {}) =>
    create(source, options).start();
  /** In pieces that are no divisors of chunks. */
  const pieces = function* (file = FILE) {
    const bytes = bytesOf(file);
    for (let at = 0; at < bytes.length; at += 10_000) yield bytes.subarray(at, at + 10_000);
  };

  it('uploads a file: URL, a Blob, and streams whose length is not known', async () => {
    const sources: UploadSource[] = [
      pathToFileURL(path),
      new Blob([bytesOf(FILE)]),
      Readable.from(pieces()),
      new Blob([bytesOf(FILE)]).stream(),
    ];
    for (const source of sources) {
      const { checksum } = await upload(source);
      expect(checksum?.algorithm).toBe('md5');
      await rig.expectStored(FILE);
      await rig.clear();
    }
  });

  it.each([0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK])('uploads a stream of %d bytes', async (bytes) => {
    const file = { ...FILE, bytes };
    const { size } = await upload(Readable.from(pieces(file)));
    expect(size).toBe(bytes);
    await rig.expectStored(file);
    const totals = rig
      .requests('PUT')
      .map(({ headers }) => /[^/]+$/.exec(String(headers['content-range']))?.[0]);
    expect(totals.at(-1)).toBe(String(bytes));
    expect(totals.slice(0, -1).every((total) => total === '*')).toBe(true);
  });

  it('sends the chunk of a stream again that broke off', async () => {
    rig.proxy.fail({ method: 'PUT', cutAfterBytes: 1000 });
    rig.proxy.fail({ method: 'PUT', after: 2, cutAfterBytes: 20_000 });
    rig.proxy.fail({ method: 'PUT', after: 4, dropsAnswer: true });
    await upload(Readable.from(pieces()), { size: FILE.bytes });
    await rig.expectStored(FILE);
  });

  it('goes on with a stream by its url when it comes again from its beginning', async () => {
    rig.proxy.fail({ method: 'PUT', after: 2, answer: { status: 400 } });
    const first = create(path);
    await expect(first.start()).rejects.toMatchObject({ code: 'http', status: 400 });
    await upload(Readable.from(pieces()), { uploadUrl: first.url as string });
    await rig.expectStored(FILE);
    expect(rig.starts.filter((start) => start === 0)).toEqual([0]);
  });

  it('reads a stream once: tried again, it is no empty file', async () => {
    const tearing = async function* () {
      yield await Promise.resolve(bytesOf(FILE).subarray(0, 10_000));
      throw new Error('The tape tore.');
    };
    const again = create(tearing());
    await expect(again.start()).rejects.toMatchObject({ code: 'source_unreadable' });
    await expect(again.start()).rejects.toMatchObject({ code: 'source_not_repeatable' });
    expect((await rig.app.rows()).filter(({ status }) => status === 'complete')).toEqual([]);
  });

  it('remembers what was begun for one owner for that owner only', async () => {
    const endpoint = 'https://example.com/upload';
    const keyFor = (id?: string) =>
      uploadKey(path, { endpoint, ...(id && { owner: { type: 'album', id } }) });
    expect(new Set([await keyFor(), await keyFor('1'), await keyFor('2')]).size).toBe(3);
    expect(await keyFor('1')).toBe(await keyFor('1'));
  });

  it('says so when a stream fails, or is not as long as was said', async () => {
    const failing = function* () {
      yield* [...pieces()].slice(0, 10);
      throw new Error('The tape tore.');
    };
    await expect(upload(Readable.from(failing()))).rejects.toMatchObject({
      code: 'source_unreadable',
      message: expect.stringContaining('The tape tore.') as unknown,
    });
    for (const size of [FILE.bytes - 1, FILE.bytes + 1]) {
      await expect(upload(Readable.from(pieces()), { size })).rejects.toMatchObject({
        code: 'source_changed',
      });
    }
  });

  const changes: [string, () => Promise<void>][] = [
    ['has grown', () => appendFile(path, 'more')],
    ['has shrunk', () => truncate(path, 2 * CHUNK)],
    ['was touched', () => utimes(path, new Date(), new Date(1e12))],
  ];
  it.each(changes)('stops when the file %s meanwhile', async (_how, change) => {
    rig.proxy.fail({ method: 'PUT', after: 1, delayMs: 300 });
    const running = create(path);
    const result = running.start();
    await rig.eventually(() => expect(rig.requests('PUT')).toHaveLength(2));
    await change();
    await expect(result).rejects.toMatchObject({ code: 'source_changed', isRetryable: false });
    expect(running.state).toBe('failed');
  });

  it('uploads the file it opened, when another one takes its name', async () => {
    rig.proxy.fail({ method: 'PUT', after: 1, delayMs: 300 });
    const result = upload(path);
    await rig.eventually(() => expect(rig.requests('PUT')).toHaveLength(2));
    await rm(path);
    await writeFile(path, 'another one');
    await result;
    await rig.expectStored(FILE);
  });

  it('says so when a file is not there, or is none', async () => {
    for (const source of [join(folder, 'nothing'), folder]) {
      await expect(upload(source)).rejects.toMatchObject({ code: 'source_unreadable' });
    }
    expect(rig.proxy.seen).toEqual([]);
  });

  it('fails at once for an endpoint that it cannot speak to, and says why', async () => {
    await expect(upload(path, { endpoint: 'ftp://example.com/upload' })).rejects.toMatchObject({
      code: 'unexpected',
      message: expect.stringContaining('ftp:') as unknown,
    });
  });

  it('lets any number of uploads share a signal, without a warning of Node', async () => {
    const sources = await CompiledSources.compile('test/client/support');
    const program = sources.path('test/client/support/sharing-client.ts');
    const { status, stderr } = spawnSync(process.execPath, [program], { encoding: 'utf8' });
    await sources.remove();
    expect(stderr).toBe('');
    expect(status).toBe(0);
  });

  it('disturbs nobody when it fails and nobody listens', async () => {
    const unhandled: unknown[] = [];
    const listen = (error: unknown) => unhandled.push(error);
    process.on('unhandledRejection', listen);
    const failed = create(join(folder, 'nothing'));
    void failed.start();
    await rig.eventually(() => expect(failed.state).toBe('failed'));
    await new Promise((resolve) => setTimeout(resolve, 50));
    process.off('unhandledRejection', listen);
    expect(unhandled).toEqual([]);
  });

  it('keeps what it remembers from others, in files that are whole', async () => {
    const store = new FileStore(join(folder, 'store'));
    rig.proxy.fail({ method: 'PUT', after: 2, answer: { status: 400 } });
    await expect(upload(path, { store })).rejects.toMatchObject({ code: 'http' });
    const [entry] = await store.list(null);
    const file = join(folder, 'store', `${entry?.key}.json`);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ filename: FILE.name, size: FILE.bytes });
    await writeFile(join(folder, 'store', 'torn.json'), '{"url":');
    expect(await store.list(null)).toHaveLength(1);
    expect(await store.get('../../etc/passwd')).toBeNull();
  });

  it('removes what a killed process had begun to note, not what a living one is noting', async () => {
    const place = join(folder, 'drafts');
    const store = new FileStore(place);
    await store.set('a', { url: '/a' } as StoredUpload);
    const [gone, alive] = [spawnSync('true').pid, process.ppid].map(
      (pid) => `b.json.${pid}-00000000-0000-4000-8000-000000000000`,
    );
    await writeFile(join(place, `${gone}`), '{');
    await writeFile(join(place, `${alive}`), '{');
    await store.delete('a');
    expect(await readdir(place)).toEqual([alive]);
  });
});
