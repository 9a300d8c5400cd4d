import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LocalVolume } from './local-volume.js';

const UUID = /^[0-9a-f-]{36}$/;

describe('LocalVolume', () => {
  let home: string;
  let root: string;
  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'volume-'));
    root = join(home, 'new', 'root');
  });
  afterEach(() => rm(home, { recursive: true, force: true }));

  it('makes and marks a new folder, for the owner only', async () => {
    const id = await new LocalVolume(root).id();
    expect(id).toMatch(UUID);
    expect((await readFile(join(root, '.volume'), 'utf8')).trim()).toBe(id);
    expect((await stat(root)).mode & 0o777).toBe(0o700);
    expect((await stat(join(root, '.volume'))).mode & 0o777).toBe(0o600);
    expect(await readdir(root)).toEqual(['.volume']);
  });

  it('keeps its id, for everybody and over restarts', async () => {
    const volume = new LocalVolume(root);
    const id = await volume.id();
    expect(await volume.id()).toBe(id);
    expect(await new LocalVolume(root).id()).toBe(id);
    await expect(new LocalVolume(root).verify(id)).resolves.toBeUndefined();
  });

  it('several that find a new folder at once agree on its id', async () => {
    for (let round = 0; round < 20; round++) {
      const path = join(home, String(round));
      const ids = await Promise.all(Array.from({ length: 6 }, () => new LocalVolume(path).id()));
      expect(new Set(ids).size).toBe(1);
      expect(ids[0]).toMatch(UUID);
    }
  });

  it('a marker that another process has begun, or that a crash cut off, is no id', async () => {
    await new LocalVolume(root).id();
    await writeFile(join(root, '.volume'), '');
    const id = await new LocalVolume(root).id().catch(({ code }: { code: string }) => code);
    expect(id).not.toBe('');
  });

  it('another id is "unavailable", whether it is there or was asked for', async () => {
    const volume = new LocalVolume(root);
    const id = await volume.id();
    for (const other of [`${id}x`, '', null, undefined, 5]) {
      await expect(volume.verify(other)).rejects.toMatchObject({ code: 'storage_unavailable' });
    }
    await writeFile(join(root, '.volume'), 'other\n');
    await expect(volume.verify(id)).rejects.toMatchObject({ code: 'storage_unavailable' });
    await expect(volume.check()).rejects.toMatchObject({ code: 'storage_unavailable' });
  });

  it('a folder that went away is "unavailable", and is not made anew', async () => {
    const volume = new LocalVolume(root);
    const id = await volume.id();
    await rm(root, { recursive: true });
    await expect(volume.verify(id)).rejects.toMatchObject({ code: 'storage_unavailable' });
    await expect(volume.check()).rejects.toMatchObject({ code: 'storage_unavailable' });
    await expect(stat(root)).rejects.toThrow('ENOENT');
  });

  it('a folder that cannot be made is "unavailable", and is tried again', async () => {
    await writeFile(join(home, 'new'), 'a file in the way');
    const volume = new LocalVolume(root);
    await expect(volume.id()).rejects.toMatchObject({ code: 'storage_unavailable' });
    await rm(join(home, 'new'));
    expect(await volume.id()).toMatch(UUID);
  });

  it('its check leaves nothing', async () => {
    const volume = new LocalVolume(root);
    await volume.check();
    expect(await readdir(root)).toEqual(['.volume']);
  });
});
