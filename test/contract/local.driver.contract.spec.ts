import { describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LocalStorage } from '../../src/index.js';
import { storageDriverContract } from '../../src/testing/index.js';
import { openFaultInjectingStorage, openLocalStorage } from './local-storage.fixture.js';

describe('LocalStorage keeps the contract of a StorageDriver', () => {
  for (const { name, notRun, run } of storageDriverContract({ open: () => openLocalStorage() })) {
    (notRun ? it.skip : it)(name, run);
  }
});

describe('LocalStorage with extensions of the app keeps it, too', () => {
  const open = () => openLocalStorage({ receiving: '.tmp', complete: '' });
  for (const { name, notRun, run } of storageDriverContract({ open })) {
    (notRun ? it.skip : it)(name, run);
  }

  it('and finds what was begun or finished under other names', async () => {
    const root = await mkdtemp(join(tmpdir(), 'extensions-'));
    const id = randomUUID();
    const upload = { id, storageKey: `a/${id}`, generation: 0, storageState: null };
    const bytes = Buffer.from('hello');
    const [old, now] = [{}, { receiving: 'tmp', complete: 'bin' }].map(
      (extensions) => new LocalStorage({ root, extensions }),
    ) as [LocalStorage, LocalStorage];
    for (const [before, after, name] of [
      [old, now, 'done'],
      [now, old, 'bin'],
    ] as const) {
      const first = await before.append(upload, 0);
      await first.write([bytes]);
      const begun = { ...upload, storageState: await first.commit(true) };
      const second = await after.append(begun, 5);
      await second.write([bytes]);
      const received = { ...upload, storageState: await second.commit(true) };
      const done = { ...upload, storageState: await after.finish(received, 10) };
      expect(await readdir(join(root, 'a'))).toEqual([`${id}.${name}`]);
      expect(await before.size(done)).toBe(10);
      await before.discard(done);
      expect(await readdir(root)).toEqual(['.volume']);
    }
    await rm(root, { recursive: true });
  });

  it.each([{ receiving: '' }, { receiving: 'done' }, { complete: '../x' }, { receiving: '1' }])(
    'but refuses %j',
    (extensions) => expect(() => new LocalStorage({ root: '/tmp', extensions })).toThrow(RangeError),
  );
});

describe('FaultInjectingDriver without a fault keeps it, too', () => {
  for (const { name, notRun, run } of storageDriverContract({ open: openFaultInjectingStorage })) {
    (notRun ? it.skip : it)(name, run);
  }
});
