import assert from 'node:assert/strict';
import type { CaseDefinition } from './contract-case.js';
import {
  append,
  assertHolds,
  assertNone,
  assertRefused,
  committed,
  newUpload,
  pattern,
} from './contract-tools.js';

/** What broken-off writers leave, and what lost storage means. */
export const recoveryCases: readonly CaseDefinition[] = [
  {
    name: 'abort leaves what was there before',
    body: async ({ driver }) => {
      const upload = await append(driver, newUpload(), 0, pattern(1000));
      const writer = await driver.append(upload, 1000);
      await writer.write([pattern(5000, 1)]);
      await writer.abort();
      await assertHolds(driver, upload, pattern(1000));
      const after = await append(driver, upload, 1000, pattern(10, 2));
      await assertHolds(driver, after, Buffer.concat([pattern(1000), pattern(10, 2)]));
      await driver.discard(after);
    },
  },
  {
    name: 'abort of a first chunk leaves nothing',
    body: async ({ driver, stored }) => {
      const upload = newUpload();
      const writer = await driver.append(upload, 0);
      await writer.write([pattern(5000)]);
      await writer.abort();
      assertNone(await stored());
      assert.equal(await driver.size(upload), null);
    },
  },
  {
    name: 'abort may be repeated, and called after commit, and changes nothing then',
    body: async ({ driver }) => {
      const upload = newUpload();
      const writer = await driver.append(upload, 0);
      await writer.write([pattern(100)]);
      const after = committed(upload, await writer.commit(true));
      await writer.abort();
      await writer.abort();
      await assertHolds(driver, after, pattern(100));
      await driver.discard(after);
      await writer.abort();
    },
  },
  {
    name: 'a torn tail, left by a writer that never ended, is cut off and never read',
    body: async ({ driver, second }) => {
      const upload = await append(driver, newUpload(), 0, pattern(1000));
      const crashed = await driver.append(upload, 1000);
      await crashed.write([pattern(3000, 1)]);
      await assertHolds(second, upload, pattern(1000));
      const after = await append(second, upload, 1000, pattern(500, 2));
      assert.equal(await second.size(after), 1500);
      await assertHolds(second, after, Buffer.concat([pattern(1000), pattern(500, 2)]));
      await second.discard(after);
      await crashed.abort();
    },
  },
  {
    name: 'a first chunk may be written again after one that never ended',
    body: async ({ driver, second }) => {
      const upload = newUpload();
      const crashed = await driver.append(upload, 0);
      await crashed.write([pattern(3000, 1)]);
      const after = await append(second, upload, 0, pattern(100, 2));
      assert.equal(await second.size(after), 100);
      await assertHolds(second, after, pattern(100, 2));
      await second.discard(after);
      await crashed.abort();
    },
  },
  {
    name: 'appending behind what is there is refused as `failed`, and fills nothing in',
    body: async ({ driver }) => {
      const upload = await append(driver, newUpload(), 0, pattern(1000));
      await assertRefused(driver.append(upload, 1001), 'failed');
      assert.equal(await driver.size(upload), 1000);
      await driver.discard(upload);
    },
  },
  {
    name: 'shortened bytes are `failed`, for the next chunk, for a reader and for finish',
    needs: 'lose',
    body: async ({ driver, lose }) => {
      const upload = await append(driver, newUpload(), 0, pattern(1000));
      await lose?.(upload, 999);
      await assertRefused(driver.append(upload, 1000), 'failed');
      await assertRefused(driver.read(upload, { start: 0, end: 1000 }).toArray(), 'failed');
      await assertRefused(driver.finish(upload, 1000), 'failed');
      await driver.discard(upload);
    },
  },
  {
    name: 'missing bytes are `failed`, never begun anew',
    needs: 'lose',
    body: async ({ driver, lose, stored }) => {
      const upload = await append(driver, newUpload(), 0, pattern(1000));
      await lose?.(upload, null);
      await assertRefused(driver.append(upload, 1000), 'failed');
      await assertRefused(driver.read(upload, { start: 0, end: 1 }).toArray(), 'failed');
      await assertRefused(driver.finish(upload, 1000), 'failed');
      assertNone(await stored());
      await driver.discard(upload);
    },
  },
  {
    name: 'on the wrong storage everything is `storage_unavailable`, nothing is `failed` and nothing deleted',
    needs: 'elsewhere',
    body: async ({ driver, elsewhere }) => {
      const upload = await append(driver, newUpload(), 0, pattern(1000));
      const wrong = await elsewhere?.();
      assert.ok(wrong);
      await assertRefused(wrong.append(upload, 1000), 'storage_unavailable');
      await assertRefused(wrong.append(upload, 0), 'storage_unavailable');
      await assertRefused(wrong.read(upload, { start: 0, end: 1 }).toArray(), 'storage_unavailable');
      await assertRefused(wrong.finish(upload, 1000), 'storage_unavailable');
      await assertRefused(wrong.discard(upload), 'storage_unavailable');
      await assertHolds(driver, upload, pattern(1000));
      await driver.discard(upload);
    },
  },
  {
    name: 'a storage that went away is `storage_unavailable`, and is not made anew',
    needs: 'unplug',
    body: async ({ driver, unplug }) => {
      const upload = await append(driver, newUpload(), 0, pattern(10));
      const plugIn = await unplug?.();
      await assertRefused(driver.check(), 'storage_unavailable');
      await assertRefused(driver.append(newUpload(), 0), 'storage_unavailable');
      await assertRefused(driver.append(upload, 10), 'storage_unavailable');
      await assertRefused(driver.finish(upload, 10), 'storage_unavailable');
      await assertRefused(driver.discard(upload), 'storage_unavailable');
      await plugIn?.();
      await assertHolds(driver, upload, pattern(10));
      await driver.discard(upload);
    },
  },
];
