import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import * as fs from 'node:fs';
import { mkdtemp, readFile, readlink, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** How many bytes the next system calls write, and no more; then all of them. */
const shortWrites: number[] = [];
let calls = 0;

function shortWritev(fd: number, buffers: Buffer[], position: number): Promise<{ bytesWritten: number }> {
  calls++;
  const most = shortWrites.shift();
  const bytes = Buffer.concat(buffers).subarray(0, most);
  return Promise.resolve({ bytesWritten: fs.writeSync(fd, bytes, 0, bytes.length, position) });
}

// A full disk, a limit on file sizes or a signal makes a write short, without an error.
jest.unstable_mockModule('node:fs', () => ({
  ...fs,
  writev: Object.assign(() => undefined, { [promisify.custom]: shortWritev }),
}));
const { FolderMaker, openEmpty, openExisting, statOrNull, syncFolder, writeFully } =
  await import('./durable-file.js');

let folder: string;
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'durable-'))));
beforeEach(() => {
  shortWrites.length = 0;
  calls = 0;
});
afterAll(() => rm(folder, { recursive: true }));

describe('writeFully', () => {
  const buffers = ['abc', '', 'defgh', 'i', '', 'jklmno'].map((text) => Buffer.from(text));
  const whole = Buffer.concat(buffers);

  async function written(position = 0): Promise<string> {
    const path = join(folder, 'file');
    const file = await openEmpty(path);
    expect(await writeFully(file, buffers, position)).toBe(whole.length);
    await file.close();
    return (await readFile(path)).subarray(position).toString();
  }

  it.each([
    ['whole', []],
    ['in the middle of a buffer', [4]],
    ['between two buffers', [3]],
    ['at every byte', Array.from({ length: 14 }, () => 1)],
    ['again and again', [5, 1, 2, 6]],
  ])('loops over writes that are short: %s', async (_, lengths) => {
    shortWrites.push(...lengths);
    expect(await written()).toBe(whole.toString());
    expect(calls).toBe(lengths.length + 1);
  });

  it('writes at the position, far out too', async () => {
    shortWrites.push(2);
    expect(await written(5000)).toBe(whole.toString());
  });

  it('gives up when nothing moves', async () => {
    const file = await openEmpty(join(folder, 'file'));
    shortWrites.push(4, 0);
    await expect(writeFully(file, buffers, 0)).rejects.toMatchObject({ code: 'EIO' });
    await file.close();
  });

  it('of nothing, writes nothing', async () => {
    const file = await openEmpty(join(folder, 'file'));
    expect(await writeFully(file, [], 0)).toBe(0);
    expect(await writeFully(file, [Buffer.alloc(0)], 0)).toBe(0);
    await file.close();
  });
});

describe('opening', () => {
  it('empties what is there, and is for the owner only', async () => {
    const path = join(folder, 'file');
    await writeFile(path, 'old');
    await rm(path);
    await (await openEmpty(path)).close();
    const { mode, size } = await stat(path);
    expect([mode & 0o777, size]).toEqual([0o600, 0]);
    await writeFile(path, 'old');
    await (await openEmpty(path)).close();
    expect((await stat(path)).size).toBe(0);
  });

  it('never goes through a link that somebody planted', async () => {
    const [target, link] = [join(folder, 'precious'), join(folder, 'link')];
    await writeFile(target, 'precious');
    await symlink(target, link);
    await expect(openEmpty(link)).rejects.toMatchObject({ code: 'ELOOP' });
    await expect(openExisting(link)).rejects.toMatchObject({ code: 'ELOOP' });
    expect(await readFile(target, 'utf8')).toBe('precious');
    expect(await readlink(link)).toBe(target);
  });

  it('of what is not there fails', async () => {
    await expect(openExisting(join(folder, 'none'))).rejects.toMatchObject({ code: 'ENOENT' });
    expect(await statOrNull(join(folder, 'none'))).toBeNull();
  });
});

describe('folders', () => {
  it('are made down from the root, for the owner only, and may be there', async () => {
    const path = join(folder, 'a', 'b', 'c');
    await new FolderMaker(folder).ensure(path);
    await new FolderMaker(folder).ensure(path);
    expect((await stat(path)).mode & 0o777).toBe(0o700);
    await syncFolder(path);
  });

  it('are not made when the root is gone', async () => {
    const root = join(folder, 'gone');
    await expect(new FolderMaker(root).ensure(join(root, 'a'))).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(stat(root)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('that are files cannot be synced', async () => {
    const path = join(folder, 'file');
    await writeFile(path, '');
    await expect(syncFolder(path)).rejects.toMatchObject({ code: 'ENOTDIR' });
  });
});
