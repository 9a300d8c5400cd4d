import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { UploadSweep } from '../../src/index.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

const LONG_AGO = new Date(Date.now() - 3 * 24 * 60 * 60 * 1000);

describe('The sweep', () => {
  let server: TestApp;
  let sweep: UploadSweep;

  beforeEach(async () => {
    server = await startTestApp();
    sweep = server.app.get(UploadSweep);
  });

  afterEach(() => server.close());

  const create = async () => {
    const answer = await fetch(`${server.origin}/upload`, {
      method: 'PUT',
      headers: { 'Content-Range': 'bytes 0-4/9' },
      body: 'hello',
    });
    return (await answer.json()) as { id: string; url: string };
  };

  const whole = async () => {
    const md5 = '5d41402abc4b2a76b9719d911017c592';
    const answer = await fetch(`${server.origin}/upload?md5=${md5}`, { method: 'POST', body: 'hello' });
    return (await answer.json()) as { id: string };
  };

  const plant = async (name: string, modifiedAt: Date) => {
    const path = join(server.root, '2020/01/02', name);
    await mkdir(join(path, '..'), { recursive: true });
    await writeFile(path, 'orphan');
    await utimes(path, modifiedAt, modifiedAt);
    return path;
  };

  const age = async () => {
    await server.dataSource.query(`UPDATE chunked_upload SET updated_at = now() - interval '3 days'`);
    for (const file of await server.files()) await utimes(join(server.root, file), LONG_AGO, LONG_AGO);
  };

  it('deletes bytes that no row knows, once they are old enough, and nothing else', async () => {
    const { id } = await create();
    await age();
    await plant(`${randomUUID()}.part`, LONG_AGO);
    await plant(`${randomUUID()}.2.part`, LONG_AGO);
    await plant(`${randomUUID()}.done`, LONG_AGO);
    const young = await plant(`${randomUUID()}.part`, new Date());
    const foreign = await plant('family.jpg', LONG_AGO);
    expect(await sweep.run({ dryRun: true })).toMatchObject({
      dryRun: true,
      orphanObjects: 3,
      orphanBytes: 18,
    });
    expect(await server.files()).toHaveLength(6);
    expect(await sweep.run()).toMatchObject({ orphanObjects: 3, lostUploads: [], lostFiles: [] });
    const left = await server.files();
    expect(left.map((file) => join(server.root, file)).sort()).toEqual(
      [
        young,
        foreign,
        ...left.filter((file) => file.includes(id)).map((file) => join(server.root, file)),
      ].sort(),
    );
    expect(left).toHaveLength(3);
  });

  it('deletes what a paused writer left beside a complete file, unless the file itself is damaged', async () => {
    const [intact, damaged] = [await whole(), await whole()];
    const unfinished = await create();
    await plant(`${intact.id}.done`, LONG_AGO);
    for (const file of await server.files()) {
      if (file.startsWith('2020')) continue;
      const beside = file.replace(/\.(done|part)$/, '.1.part');
      await writeFile(join(server.root, beside), 'late bytes');
      if (file.includes(damaged.id)) await truncate(join(server.root, file), 2);
    }
    expect(await sweep.run()).toMatchObject({ orphanObjects: 0 });
    await age();
    expect(await sweep.run({ dryRun: true })).toMatchObject({ orphanObjects: 1, orphanBytes: 10 });
    expect(await sweep.run()).toMatchObject({ orphanObjects: 1, lostFiles: [damaged.id] });
    const left = (await server.files()).map((file) => file.replace(/^.*\//, ''));
    expect(left.sort()).toEqual(
      [
        `${intact.id}.done`,
        `${intact.id}.done`,
        `${damaged.id}.done`,
        `${damaged.id}.1.part`,
        `${unfinished.id}.part`,
        `${unfinished.id}.1.part`,
      ].sort(),
    );
  });

  it('says which uploads have lost their bytes: unfinished ones fail, complete ones are only told', async () => {
    const [lost, intact] = [await create(), await create()];
    const complete = await whole();
    for (const file of await server.files()) {
      if (file.includes(lost.id) || file.includes(complete.id)) await rm(join(server.root, file));
    }
    expect(await sweep.run()).toMatchObject({ lostUploads: [], lostFiles: [] });
    await age();
    expect(await sweep.run()).toMatchObject({ lostUploads: [lost.id], lostFiles: [complete.id] });
    const status = (await server.rows()).map((row) => [row.id, row.status]);
    expect(Object.fromEntries(status)).toEqual({
      [lost.id]: 'failed',
      [intact.id]: 'uploading',
      [complete.id]: 'complete',
    });
  });

  it('leaves alone what is gone on with, or deleted, while it looks', async () => {
    const [upload, file] = [await create(), await whole()];
    await age();
    const { driver } = server.type.engine.context;
    const size = jest.spyOn(driver, 'size').mockImplementation(async ({ id }) => {
      const change =
        id === upload.id ? 'UPDATE chunked_upload SET updated_at = now()' : 'DELETE FROM chunked_upload';
      await server.dataSource.query(`${change} WHERE id = $1`, [id]);
      return null;
    });
    expect(await sweep.run()).toMatchObject({ lostUploads: [], lostFiles: [] });
    expect(size.mock.calls.map(([{ id }]) => id).sort()).toEqual([upload.id, file.id].sort());
    size.mockRestore();
    expect(await server.rows()).toMatchObject([{ id: upload.id, status: 'uploading' }]);
  });

  it('judges nothing by a volume that is not there', async () => {
    await create();
    await age();
    await rename(server.root, `${server.root}.away`);
    await mkdir(server.root);
    await expect(sweep.run()).rejects.toMatchObject({ code: 'storage_unavailable' });
    expect(await server.rows()).toMatchObject([{ status: 'uploading' }]);
    expect(await readdir(server.root)).toEqual([]);
    await rm(server.root, { recursive: true });
    await rename(`${server.root}.away`, server.root);
  });

  it('runs once at a time', async () => {
    const lock = server.dataSource.createQueryRunner();
    await lock.query(`SELECT pg_advisory_lock(hashtextextended('chunked-upload-sweep', 0))`);
    expect(await sweep.run()).toBeNull();
    await lock.query('SELECT pg_advisory_unlock_all()');
    await lock.release();
    expect(await sweep.run()).not.toBeNull();
  });
});
