import assert from 'node:assert/strict';
import type { CaseDefinition } from './contract-case.js';
import { append, assertHolds, assertSame, committed, newUpload, pattern, readAll } from './contract-tools.js';

const MEBIBYTE = 1024 * 1024;

/** Writing chunks, one behind the other. */
export const appendCases: readonly CaseDefinition[] = [
  {
    name: 'appends at 0 and goes on where the chunk before ended',
    body: async ({ driver }) => {
      const bytes = pattern(3000);
      let upload = newUpload();
      upload = await append(driver, upload, 0, bytes.subarray(0, 1000));
      upload = await append(driver, upload, 1000, bytes.subarray(1000, 1001));
      upload = await append(driver, upload, 1001, bytes.subarray(1001));
      await assertHolds(driver, upload, bytes);
      assert.equal(await driver.size(upload), 3000);
      await driver.discard(upload);
    },
  },
  {
    name: 'a chunk committed by one instance is read and continued by another',
    body: async ({ driver, second }) => {
      const bytes = pattern(2000);
      const upload = await append(driver, newUpload(), 0, bytes.subarray(0, 700));
      await assertHolds(second, upload, bytes.subarray(0, 700));
      const after = await append(second, upload, 700, bytes.subarray(700));
      await assertHolds(driver, after, bytes);
      await driver.discard(after);
    },
  },
  {
    name: 'a writer that stays open writes the next chunk, if the driver has such',
    body: async ({ driver, second }) => {
      const bytes = pattern(3000);
      let upload = newUpload();
      let writer = await driver.append(upload, 0);
      for (const start of [0, 1000, 2000]) {
        await writer.write([bytes.subarray(start, start + 1000)]);
        const open = await writer.commitOpen?.(true);
        // Whether there is none, or it is over: this changes nothing that is committed.
        await writer.abort();
        if (!open) return driver.discard(upload);
        upload = committed(upload, open.state);
        writer = open.next;
        await assertHolds(second, upload, bytes.subarray(0, start + 1000));
      }
      await writer.write([pattern(500, 1)]);
      await writer.abort();
      assert.equal(await second.size(upload), 3000);
      await driver.discard(upload);
    },
  },
  {
    name: 'a writer that stays open, and has nothing to write, leaves what others wrote meanwhile',
    body: async ({ driver, second }) => {
      const bytes = pattern(3000);
      for (const end of ['commit', 'abort'] as const) {
        const upload = newUpload();
        const writer = await driver.append(upload, 0);
        await writer.write([bytes.subarray(0, 1000)]);
        const open = await writer.commitOpen?.(true);
        if (!open) return writer.abort().then(() => driver.discard(upload));
        const begun = committed(upload, open.state);
        const after = await append(second, begun, 1000, bytes.subarray(1000));
        await (end === 'commit' ? open.next.commit(false) : open.next.abort());
        await assertHolds(driver, after, bytes);
        await driver.discard(after);
      }
    },
  },
  {
    name: 'writes many small buffers, more than one system call takes, in order',
    body: async ({ driver }) => {
      const bytes = pattern(5000);
      const upload = newUpload();
      const writer = await driver.append(upload, 0);
      const pieces = Array.from(bytes.keys(), (at) => bytes.subarray(at, at + 1));
      await writer.write(pieces.slice(0, 3000));
      await writer.write([]);
      await writer.write([Buffer.alloc(0), ...pieces.slice(3000), Buffer.alloc(0)]);
      const after = committed(upload, await writer.commit(true));
      await assertHolds(driver, after, bytes);
      await driver.discard(after);
    },
  },
  {
    name: 'keeps no buffer once it is written',
    body: async ({ driver }) => {
      const bytes = pattern(MEBIBYTE);
      const upload = newUpload();
      const writer = await driver.append(upload, 0);
      const lent = Buffer.alloc(MEBIBYTE / 4);
      for (let at = 0; at < bytes.length; at += lent.length) {
        bytes.copy(lent, 0, at);
        await writer.write([lent]);
        lent.fill(0);
      }
      const after = committed(upload, await writer.commit(true));
      await assertHolds(driver, after, bytes);
      await driver.discard(after);
    },
  },
  {
    name: 'writes large buffers whole',
    body: async ({ driver }) => {
      const bytes = pattern(MEBIBYTE);
      const upload = newUpload();
      const writer = await driver.append(upload, 0);
      const buffers = Array.from({ length: 24 }, () => bytes);
      await writer.write(buffers);
      const after = committed(upload, await writer.commit(true));
      await assertHolds(driver, after, Buffer.concat(buffers));
      await driver.discard(after);
    },
  },
  {
    name: 'the state of a commit is plain data that survives JSON',
    body: async ({ driver, second }) => {
      const upload = await append(driver, newUpload(), 0, pattern(10));
      const state: unknown = JSON.parse(JSON.stringify(upload.storageState));
      assertSame(state, upload.storageState);
      await assertHolds(second, upload, pattern(10));
      await driver.discard(upload);
    },
  },
  {
    name: 'a commit without durability is read like any other',
    body: async ({ driver }) => {
      const upload = newUpload();
      const writer = await driver.append(upload, 0);
      await writer.write([pattern(100)]);
      const after = committed(upload, await writer.commit(false));
      await writer.published();
      await assertHolds(driver, after, pattern(100));
      await driver.discard(after);
    },
  },
  {
    name: 'an upload may have no bytes at all',
    body: async ({ driver }) => {
      const upload = await append(driver, newUpload(), 0, Buffer.alloc(0));
      assert.equal(await driver.size(upload), 0);
      assert.equal((await readAll(driver, upload, { start: 0, end: 0 })).length, 0);
      await driver.discard(upload);
    },
  },
  {
    name: 'size is null before the first byte',
    body: async ({ driver }) => assert.equal(await driver.size(newUpload()), null),
  },
  {
    name: 'writers on different uploads do not disturb each other',
    body: async ({ driver }) => {
      const uploads = await Promise.all(
        Array.from({ length: 8 }, async (_, seed) => {
          const upload = newUpload();
          const bytes = pattern(40_000, seed);
          const writer = await driver.append(upload, 0);
          for (let at = 0; at < bytes.length; at += 1000) await writer.write([bytes.subarray(at, at + 1000)]);
          return { bytes, upload: committed(upload, await writer.commit(true)) };
        }),
      );
      for (const { bytes, upload } of uploads) await assertHolds(driver, upload, bytes);
      await Promise.all(uploads.map(({ upload }) => driver.discard(upload)));
    },
  },
  {
    name: 'reads and appends while another upload is created and discarded beside it',
    body: async ({ driver, second }) => {
      const churn = Array.from({ length: 20 }, async (_, seed) => {
        const upload = await append(seed % 2 ? driver : second, newUpload(), 0, pattern(100, seed));
        await assertHolds(second, upload, pattern(100, seed));
        await driver.discard(upload);
      });
      await Promise.all(churn);
    },
  },
];
