import assert from 'node:assert/strict';
import type { CaseDefinition } from './contract-case.js';
import { append, assertRefused, newUpload, pattern, readAll } from './contract-tools.js';

const GIBIBYTE = 1024 ** 3;

/** Reading ranges, near and far. */
export const readCases: readonly CaseDefinition[] = [
  {
    name: 'reads exactly the range asked for, received or finished',
    body: async ({ driver }) => {
      const bytes = pattern(600_000);
      let upload = await append(driver, newUpload(), 0, bytes);
      for (const isFinished of [false, true]) {
        if (isFinished) upload = { ...upload, storageState: await driver.finish(upload, bytes.length) };
        for (const [start, end] of [
          [0, 1],
          [0, 600_000],
          [599_999, 600_000],
          [262_143, 262_145],
          [7, 599_000],
        ]) {
          const found = await readAll(driver, upload, { start: start ?? 0, end: end ?? 0 });
          assert.ok(found.equals(bytes.subarray(start, end)), `${start} to ${end}`);
        }
      }
      await driver.discard(upload);
    },
  },
  {
    name: 'an empty range is an empty stream, whatever is there',
    body: async ({ driver }) => {
      const upload = await append(driver, newUpload(), 0, pattern(10));
      assert.equal((await readAll(driver, upload, { start: 5, end: 5 })).length, 0);
      assert.equal((await readAll(driver, newUpload(), { start: 0, end: 0 })).length, 0);
      await driver.discard(upload);
    },
  },
  {
    name: 'a range beyond the bytes is `failed`, not shorter',
    body: async ({ driver }) => {
      const upload = await append(driver, newUpload(), 0, pattern(10));
      await assertRefused(readAll(driver, upload, { start: 0, end: 11 }), 'failed');
      await assertRefused(readAll(driver, upload, { start: 10, end: 11 }), 'failed');
      await driver.discard(upload);
    },
  },
  {
    name: 'a reader that goes away early breaks nothing',
    body: async ({ driver }) => {
      const bytes = pattern(2_000_000);
      const upload = await append(driver, newUpload(), 0, bytes);
      const early = driver.read(upload, { start: 0, end: bytes.length });
      await new Promise((resolve) => early.once('data', resolve));
      early.destroy();
      driver.read(upload, { start: 0, end: bytes.length }).destroy();
      assert.ok((await readAll(driver, upload, { start: 0, end: bytes.length })).equals(bytes));
      await driver.discard(upload);
    },
  },
  {
    name: 'offsets beyond 4 GiB are exact',
    needs: 'grow',
    body: async ({ driver, grow }) => {
      const far = 5 * GIBIBYTE - 3;
      const upload = await append(driver, newUpload(), 0, pattern(100));
      await grow?.(upload, far);
      const after = await append(driver, upload, far, pattern(50, 1));
      assert.equal(await driver.size(after), far + 50);
      const end = await readAll(driver, after, { start: far - 2, end: far + 50 });
      assert.ok(end.equals(Buffer.concat([Buffer.alloc(2), pattern(50, 1)])));
      const state = await driver.finish(after, far + 50);
      const tail = await readAll(driver, { ...after, storageState: state }, { start: far, end: far + 50 });
      assert.ok(tail.equals(pattern(50, 1)));
      await driver.discard({ ...after, storageState: state });
    },
  },
];
