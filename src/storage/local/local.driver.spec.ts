import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import * as fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { StoredUpload } from '../storage-driver.interface.js';

/** What reaches the disk, in order: `datasync a.part`, `sync folder`, `rename a.part a.done`, … */
const steps: string[] = [];
/** The step that fails, once. */
let failing: string | null = null;

function step(name: string): void {
  steps.push(name);
  if (failing === null || !name.startsWith(failing)) return;
  failing = null;
  throw Object.assign(new Error(name), { code: 'EIO' });
}

/** Ids and folders by name only. */
const shown = (path: string) =>
  /\.(part|done)$/.test(path) ? basename(path).replace(/^[0-9a-f-]{36}/, 'a') : 'folder';

async function openRecorded(path: string, ...rest: [string | number, number?]): Promise<fs.FileHandle> {
  const file = await fs.open(path, ...rest);
  const name = shown(path);
  const [datasync, sync, truncate, close] = [
    file.datasync.bind(file),
    file.sync.bind(file),
    file.truncate.bind(file),
    file.close.bind(file),
  ];
  file.datasync = async () => {
    step(`datasync ${name}`);
    await datasync();
  };
  file.sync = async () => {
    step(`sync ${name}`);
    await sync();
  };
  file.truncate = async (length) => {
    step(`truncate ${name}`);
    await truncate(length);
  };
  file.close = async () => {
    await close();
    if (name !== 'folder') step(`close ${name}`);
  };
  return file;
}

jest.unstable_mockModule('node:fs/promises', () => ({
  ...fs,
  open: openRecorded,
  rename: async (from: string, to: string) => {
    step(`rename ${shown(from)} ${shown(to)}`);
    await fs.rename(from, to);
  },
}));
const { LocalStorage } = await import('./local.driver.js');

/** The order in which bytes and names reach the disk: what a power cut leaves depends on nothing else. */
describe('LocalStorage', () => {
  let root: string;
  let driver: InstanceType<typeof LocalStorage>;
  const id = '0f8fad5b-d9cb-469f-a165-70867728950e';
  const upload = (more: Partial<StoredUpload> = {}): StoredUpload => ({
    id,
    storageKey: `2026/01/01/${id}`,
    generation: 0,
    storageState: null,
    ...more,
  });

  async function write(
    given: StoredUpload,
    offset: number,
    text: string,
    durable = true,
  ): Promise<StoredUpload> {
    const writer = await driver.append(given, offset);
    await writer.write([Buffer.from(text)]);
    steps.length = 0;
    const storageState = await writer.commit(durable);
    return { ...given, storageState };
  }

  beforeAll(async () => {
    root = await fs.mkdtemp(join(tmpdir(), 'local-driver-'));
  });
  beforeEach(async () => {
    driver = new LocalStorage({ root });
    await driver.discard(upload({ generation: 5 }));
    failing = null;
    steps.length = 0;
  });
  afterAll(() => fs.rm(root, { recursive: true }));

  it('a first chunk: the bytes, then the name', async () => {
    await write(upload(), 0, 'abc');
    expect(steps).toEqual(['datasync a.part', 'close a.part', 'sync folder']);
  });

  it('a later chunk: the bytes; the name is there', async () => {
    const after = await write(upload(), 0, 'abc');
    await write(after, 3, 'def');
    expect(steps).toEqual(['datasync a.part', 'close a.part']);
  });

  it('a fork: the bytes, then its new name', async () => {
    const after = await write(upload(), 0, 'abc');
    await write({ ...after, generation: 1 }, 3, 'def');
    expect(steps).toEqual(['datasync a.1.part', 'close a.1.part', 'sync folder']);
  });

  it('without durability nothing is synced', async () => {
    await write(upload(), 0, 'abc', false);
    expect(steps).toEqual(['close a.part']);
  });

  it('a new day: each new folder’s name', async () => {
    await driver.append(upload(), 0).then((writer) => writer.abort());
    expect(steps.filter((name) => name === 'sync folder').length).toBeGreaterThanOrEqual(3);
  });

  it('a torn tail is cut off before anything is written behind the offset', async () => {
    const after = await write(upload(), 0, 'abcdef');
    const writer = await driver.append(after, 3);
    expect(steps.at(-1)).toBe('truncate a.part');
    await writer.abort();
  });

  it('finishing: the bytes, the final name, and that it is there', async () => {
    const after = await write(upload(), 0, 'abc', false);
    steps.length = 0;
    await driver.finish(after, 3);
    expect(steps).toEqual(['datasync a.part', 'close a.part', 'rename a.part a.done', 'sync folder']);
  });

  it('finishing again, after a crash between the name and its sync, syncs it', async () => {
    const after = await write(upload(), 0, 'abc');
    failing = 'sync folder';
    await expect(driver.finish(after, 3)).rejects.toMatchObject({ code: 'storage_unavailable' });
    steps.length = 0;
    await driver.finish(after, 3);
    expect(steps).toContain('sync folder');
  });

  it.each(['datasync', 'close', 'sync folder'])(
    'a %s that fails, fails the chunk, and is not tried again',
    async (call) => {
      const writer = await driver.append(upload(), 0);
      await writer.write([Buffer.from('abc')]);
      steps.length = 0;
      failing = call;
      await expect(writer.commit(true)).rejects.toMatchObject({ code: 'storage_unavailable' });
      const syncs = steps.filter((name) => name.startsWith(call)).length;
      await writer.abort();
      expect(steps.filter((name) => name.startsWith(call) && call !== 'close').length).toBe(
        call === 'close' ? 0 : syncs,
      );
      expect(syncs).toBe(1);
      // And the chunk can be sent again.
      const after = await write(upload(), 0, 'xyz');
      expect(
        Buffer.concat((await driver.read(after, { start: 0, end: 3 }).toArray()) as Buffer[]).toString(),
      ).toBe('xyz');
    },
  );

  it('a datasync that fails loses what was acknowledged without one, for good', async () => {
    const after = await write(upload(), 0, 'abc', false);
    failing = 'datasync';
    await expect(driver.finish(after, 3)).rejects.toMatchObject({ code: 'failed' });
    const later = await write(upload(), 0, 'abc', false);
    const writer = await driver.append(later, 3);
    failing = 'datasync';
    await expect(writer.commit(true)).rejects.toMatchObject({ code: 'failed' });
    await writer.abort();
    const synced = await write(await write(upload(), 0, 'abc', false), 3, 'def');
    failing = 'datasync';
    await expect(driver.finish(synced, 6)).rejects.toMatchObject({ code: 'storage_unavailable' });
  });

  it('a folder that goes while the storage is listed is an empty one; a root that is not there is an error', async () => {
    await write(upload(), 0, 'abc');
    const found: string[] = [];
    for (const day of ['2026/01/02', '2026/01/03']) await fs.mkdir(join(root, day), { recursive: true });
    await fs.writeFile(join(root, `2026/01/02/${id}.part`), '');
    for await (const { key } of driver.list()) {
      found.push(key);
      await fs.rm(join(root, '2026/01/03'), { recursive: true, force: true });
    }
    expect(found.length).toBe(2);
    await fs.rm(join(root, '2026/01/02'), { recursive: true });
    const nowhere = new LocalStorage({ root: join(root, 'nowhere') });
    await expect(nowhere.list()[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it.each(['datasync', 'rename', 'sync folder'])(
    'a %s that fails while finishing leaves what can be finished',
    async (call) => {
      const after = await write(upload(), 0, 'abc');
      failing = call;
      await expect(driver.finish(after, 3)).rejects.toMatchObject({ code: 'storage_unavailable' });
      const done = { ...after, storageState: await driver.finish(after, 3) };
      expect(
        Buffer.concat((await driver.read(done, { start: 0, end: 3 }).toArray()) as Buffer[]).toString(),
      ).toBe('abc');
    },
  );
});
