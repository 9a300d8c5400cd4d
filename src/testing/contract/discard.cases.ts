import assert from 'node:assert/strict';
import type { StorageDriver } from '../../storage/storage-driver.interface.js';
import type { CaseDefinition } from './contract-case.js';
import {
  append,
  assertNone,
  assertSame,
  committed,
  newUpload,
  nextGeneration,
  pattern,
} from './contract-tools.js';

/** Deleting, in every state. That nothing is left is checked after every case of the contract. */
export const discardCases: readonly CaseDefinition[] = [
  {
    name: 'discard may be repeated, and of nothing is done at once',
    body: async ({ driver, second }) => {
      const upload = await append(driver, newUpload(), 0, pattern(1000));
      await driver.discard(upload);
      await driver.discard(upload);
      await second.discard(upload);
      await driver.discard(newUpload());
      assert.equal(await driver.size(upload), null);
    },
  },
  {
    name: 'discard deletes every generation',
    body: async ({ driver }) => {
      let upload = await append(driver, newUpload(), 0, pattern(1000));
      for (let round = 0; round < 3; round++) {
        // Committed and not published: a crash between the two.
        const writer = await driver.append(nextGeneration(upload), 1000);
        upload = committed(nextGeneration(upload), await writer.commit(true));
      }
      const unfinished = await driver.append(nextGeneration(upload), 1000);
      await unfinished.write([pattern(10)]);
      await driver.discard(nextGeneration(upload));
      await unfinished.abort();
    },
  },
  {
    name: 'discard deletes what was finished, whether the row knows it or not',
    body: async ({ driver }) => {
      const known = await append(driver, newUpload(), 0, pattern(1000));
      await driver.discard(committed(known, await driver.finish(known, 1000)));
      const unknown = await append(driver, newUpload(), 0, pattern(1000));
      await driver.finish(unknown, 1000);
      await driver.discard(unknown);
    },
  },
  {
    name: 'discard deletes what a crashed creation left, of which no commit tells',
    body: async ({ driver, second }) => {
      const upload = newUpload();
      const crashed = await driver.append(upload, 0);
      await crashed.write([pattern(1000)]);
      await second.discard(upload);
      await crashed.abort();
    },
  },
  {
    name: 'what a writer still does after discard leaves nothing',
    body: async ({ driver, second }) => {
      const upload = await append(driver, newUpload(), 0, pattern(1000));
      const writer = await driver.append(upload, 1000);
      await second.discard(upload);
      await writer.write([pattern(10)]).catch(() => undefined);
      await writer.commit(true).catch(() => undefined);
      await writer.abort();
    },
  },
  {
    name: 'discard while a finish runs leaves nothing',
    body: async ({ driver, second, stored }) => {
      for (let round = 0; round < 30; round++) {
        const upload = await append(driver, newUpload(), 0, pattern(100));
        const finish = driver.finish(upload, 100).catch(() => undefined);
        for (let turn = 0; turn < round; turn++) await Promise.resolve();
        if (round % 3 === 0) await new Promise((resolve) => setImmediate(resolve));
        await second.discard(upload);
        await finish;
        assertNone(await stored());
      }
    },
  },
  {
    name: 'uploads come while the last ones go: what discard tidies up is in nobody’s way',
    body: async ({ driver, second }) => {
      const client = async (one: StorageDriver, seed: number) => {
        for (let round = 0; round < 25; round++) {
          const upload = await append(one, newUpload(), 0, pattern(10, seed));
          await one.discard(upload);
        }
      };
      await Promise.all([1, 2, 3].flatMap((seed) => [client(driver, seed), client(second, seed)]));
    },
  },
  {
    name: 'discard of one upload leaves the others',
    body: async ({ driver, stored }) => {
      const stays = await append(driver, newUpload(), 0, pattern(10));
      const names = await stored();
      await driver.discard(await append(driver, newUpload(), 0, pattern(10)));
      assertSame(await stored(), names);
      await driver.discard(stays);
    },
  },
];
