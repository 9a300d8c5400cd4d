import assert from 'node:assert/strict';
import type { CaseDefinition } from './contract-case.js';
import { append, assertHolds, committed, newUpload, nextGeneration, pattern } from './contract-tools.js';

/** Leases that ran out: the holder may only have been asleep. */
export const generationCases: readonly CaseDefinition[] = [
  {
    name: 'a new generation goes on from the acknowledged bytes, the old writer writes into nothing that is read',
    body: async ({ driver, second }) => {
      const upload = await append(driver, newUpload(), 0, pattern(1000));
      const asleep = await driver.append(upload, 1000);
      await asleep.write([pattern(200, 1)]);
      const after = await append(second, nextGeneration(upload), 1000, pattern(300, 2));
      await asleep.write([pattern(4000, 3)]);
      const expected = Buffer.concat([pattern(1000), pattern(300, 2)]);
      await assertHolds(second, after, expected);
      await asleep.commit(true).catch(() => undefined);
      await asleep.abort();
      await assertHolds(second, after, expected);
      const final = await append(driver, after, 1300, pattern(5, 4));
      await assertHolds(driver, final, Buffer.concat([expected, pattern(5, 4)]));
      await driver.discard(final);
    },
  },
  {
    name: 'the old writer is harmless through finish, too',
    body: async ({ driver, second }) => {
      const upload = await append(driver, newUpload(), 0, pattern(1000));
      const asleep = await driver.append(upload, 1000);
      const next = nextGeneration(upload);
      const finished = committed(next, await second.finish(next, 1000));
      await asleep.write([pattern(4000, 3)]);
      await asleep.abort();
      await assertHolds(second, finished, pattern(1000));
      await driver.discard(finished);
    },
  },
  {
    name: 'an aborted fork leaves the old generation as it was',
    body: async ({ driver }) => {
      const upload = await append(driver, newUpload(), 0, pattern(1000));
      const fork = await driver.append(nextGeneration(upload), 1000);
      await fork.write([pattern(50, 1)]);
      await fork.abort();
      await assertHolds(driver, upload, pattern(1000));
      const after = await append(driver, nextGeneration(nextGeneration(upload)), 1000, pattern(7, 2));
      await assertHolds(driver, after, Buffer.concat([pattern(1000), pattern(7, 2)]));
      await driver.discard(after);
    },
  },
  {
    name: 'a fork that is committed and not published is read; the row decides which generation is',
    body: async ({ driver }) => {
      const upload = await append(driver, newUpload(), 0, pattern(1000));
      const writer = await driver.append(nextGeneration(upload), 1000);
      await writer.write([pattern(9, 1)]);
      const state = await writer.commit(true);
      await assertHolds(driver, upload, pattern(1000));
      await assertHolds(
        driver,
        committed(nextGeneration(upload), state),
        Buffer.concat([pattern(1000), pattern(9, 1)]),
      );
      await driver.discard(nextGeneration(upload));
    },
  },
  {
    name: 'published keeps one generation only',
    body: async ({ driver, stored }) => {
      let upload = await append(driver, newUpload(), 0, pattern(10));
      const names = (await stored()).length;
      for (let round = 1; round <= 3; round++) {
        upload = await append(driver, nextGeneration(upload), 10 * round, pattern(10, round));
      }
      assert.equal((await stored()).length, names);
      await assertHolds(driver, upload, Buffer.concat([0, 1, 2, 3].map((seed) => pattern(10, seed))));
      await driver.discard(upload);
    },
  },
  {
    name: 'a fork of nothing starts with nothing',
    body: async ({ driver }) => {
      const upload = newUpload();
      const first = await driver.append(upload, 0);
      await first.write([pattern(100, 1)]);
      const after = await append(driver, nextGeneration(upload), 0, pattern(20, 2));
      await first.write([pattern(100, 3)]);
      await assertHolds(driver, after, pattern(20, 2));
      await first.abort();
      await driver.discard(after);
    },
  },
];
