import assert from 'node:assert/strict';
import type { CaseDefinition } from './contract-case.js';
import {
  append,
  assertHolds,
  assertRefused,
  assertSame,
  committed,
  newUpload,
  nextGeneration,
  pattern,
} from './contract-tools.js';

/** Completing: once, twice, and after a crash in the middle. */
export const finishCases: readonly CaseDefinition[] = [
  {
    name: 'finish keeps the bytes, under one name',
    body: async ({ driver, second, stored }) => {
      const upload = await append(driver, newUpload(), 0, pattern(1000));
      const finished = committed(upload, await driver.finish(upload, 1000));
      await assertHolds(second, finished, pattern(1000));
      assert.equal(await second.size(finished), 1000);
      assert.equal((await stored()).length, 1);
      await driver.discard(finished);
    },
  },
  {
    name: 'finish may be repeated, with the state from before (a crash ahead of the row) and the one from after',
    body: async ({ driver, second }) => {
      const upload = await append(driver, newUpload(), 0, pattern(1000));
      const state = await driver.finish(upload, 1000);
      assertSame(await second.finish(upload, 1000), state);
      assertSame(await second.finish(committed(upload, state), 1000), state);
      await assertHolds(second, committed(upload, state), pattern(1000));
      await driver.discard(upload);
    },
  },
  {
    name: 'finished bytes whose row does not know it yet can be read, and their size asked for',
    body: async ({ driver, second }) => {
      const upload = await append(driver, newUpload(), 0, pattern(1000));
      await driver.finish(upload, 1000);
      await assertHolds(second, upload, pattern(1000));
      assert.equal(await second.size(upload), 1000);
      await second.discard(upload);
    },
  },
  {
    name: 'finish after a lease ran out in the middle of another finish',
    body: async ({ driver, second }) => {
      const upload = await append(driver, newUpload(), 0, pattern(1000));
      await driver.finish(upload, 1000);
      const next = nextGeneration(upload);
      const finished = committed(next, await second.finish(next, 1000));
      await assertHolds(driver, finished, pattern(1000));
      await driver.discard(finished);
    },
  },
  {
    name: 'finish cuts a torn tail off',
    body: async ({ driver, second }) => {
      const upload = await append(driver, newUpload(), 0, pattern(1000));
      const crashed = await driver.append(upload, 1000);
      await crashed.write([pattern(3000, 1)]);
      const finished = committed(upload, await second.finish(upload, 1000));
      assert.equal(await second.size(finished), 1000);
      await assertHolds(second, finished, pattern(1000));
      await crashed.abort();
      await assertHolds(second, finished, pattern(1000));
      await second.discard(finished);
    },
  },
  {
    name: 'finish drops every other generation',
    body: async ({ driver, stored }) => {
      const upload = await append(driver, newUpload(), 0, pattern(1000));
      const fork = await driver.append(nextGeneration(upload), 1000);
      const state = await fork.commit(true);
      const next = committed(nextGeneration(nextGeneration(upload)), state);
      const finished = committed(next, await driver.finish(next, 1000));
      assert.equal((await stored()).length, 1);
      await assertHolds(driver, finished, pattern(1000));
      await driver.discard(finished);
    },
  },
  {
    name: 'finish of an upload without bytes',
    body: async ({ driver }) => {
      const upload = await append(driver, newUpload(), 0, Buffer.alloc(0));
      const finished = committed(upload, await driver.finish(upload, 0));
      assert.equal(await driver.size(finished), 0);
      await driver.discard(finished);
    },
  },
  {
    name: 'finish of more bytes than there are is `failed`, before and after it was finished',
    body: async ({ driver }) => {
      const upload = await append(driver, newUpload(), 0, pattern(1000));
      await assertRefused(driver.finish(upload, 1001), 'failed');
      await assertHolds(driver, upload, pattern(1000));
      const state = await driver.finish(upload, 1000);
      await assertRefused(driver.finish(committed(upload, state), 1001), 'failed');
      await assertHolds(driver, committed(upload, state), pattern(1000));
      await driver.discard(upload);
    },
  },
  {
    name: 'two finishes at once: neither loses the bytes, and a third finds the work done',
    body: async ({ driver, second }) => {
      for (let round = 0; round < 10; round++) {
        const upload = await append(driver, newUpload(), 0, pattern(1000, round));
        await Promise.allSettled([driver.finish(upload, 1000), second.finish(upload, 1000)]);
        const finished = committed(upload, await driver.finish(upload, 1000));
        await assertHolds(second, finished, pattern(1000, round));
        await driver.discard(finished);
      }
    },
  },
];
