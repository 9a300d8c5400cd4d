import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { storageKeyFor } from '../../storage/storage-key.js';
import type {
  ByteRange,
  StorageDriver,
  StorageState,
  StoredUpload,
} from '../../storage/storage-driver.interface.js';

/** An upload that has no bytes yet. */
export function newUpload(): StoredUpload {
  const id = randomUUID();
  return {
    id,
    storageKey: storageKeyFor({ id, createdAt: new Date(), userId: null }),
    generation: 0,
    storageState: null,
  };
}

/** The upload after a commit. */
export function committed(upload: StoredUpload, storageState: StorageState): StoredUpload {
  return { ...upload, storageState };
}

/** The upload after its lease ran out unreleased. */
export function nextGeneration(upload: StoredUpload): StoredUpload {
  return { ...upload, generation: upload.generation + 1 };
}

/** Bytes that differ at every position and for every seed, so that a byte in the wrong place is seen. */
export function pattern(length: number, seed = 0): Buffer {
  const bytes = Buffer.alloc(length);
  for (let at = 0, block = 0; at < length; at += 32, block++) {
    createHash('sha256').update(`${seed} ${block}`).digest().copy(bytes, at);
  }
  return bytes;
}

/** Appends one chunk and commits it. */
export async function append(
  driver: StorageDriver,
  upload: StoredUpload,
  offset: number,
  bytes: Buffer,
): Promise<StoredUpload> {
  const writer = await driver.append(upload, offset);
  await writer.write([bytes]);
  const after = committed(upload, await writer.commit(true));
  await writer.published();
  return after;
}

export async function readAll(
  driver: StorageDriver,
  upload: StoredUpload,
  range: ByteRange,
): Promise<Buffer> {
  return Buffer.concat((await driver.read(upload, range).toArray()) as Buffer[]);
}

/** The first `expected.length` bytes are these. */
export async function assertHolds(
  driver: StorageDriver,
  upload: StoredUpload,
  expected: Buffer,
): Promise<void> {
  const found = await readAll(driver, upload, { start: 0, end: expected.length });
  assert.equal(found.length, expected.length, `${expected.length} bytes can be read`);
  assert.ok(found.equals(expected), 'the bytes are those that were written');
}

/** Nothing is stored. */
export function assertNone(names: readonly string[]): void {
  assert.equal(names.join('\n'), '', 'nothing is left over');
}

/** Two values are the same data. As JSON: test runners give tests other prototypes than Node's. */
export function assertSame(found: unknown, expected: unknown): void {
  assert.equal(JSON.stringify(found), JSON.stringify(expected));
}

/** The promise rejects with an `UploadError` of this code. */
export async function assertRefused(work: Promise<unknown>, code: string): Promise<void> {
  await assert.rejects(work, (error: unknown) => {
    const found = (error as { code?: unknown }).code;
    assert.equal(found, code, `refused with ${code}, not ${String(found)}: ${String(error)}`);
    return true;
  });
}
