import assert from 'node:assert/strict';
import type { ChunkedUpload } from '../../../src/index.js';
import type { Model, ModelUpload } from './upload-model.js';

/** What a command may have made of the uploads when its process died in it. */
export interface Crashed {
  readonly before: Model;
  /** As it would be without the crash. */
  readonly after: Model;
  readonly user: string;
  readonly key?: string | undefined;
  /** Bytes of an upload that the command may have created. */
  readonly created?: Buffer;
}

const MIDWAY: Readonly<Partial<Record<ChunkedUpload['status'], readonly ChunkedUpload['status'][]>>> = {
  completing: ['uploading', 'completing'],
  deleting: ['uploading', 'completing', 'complete', 'deleting'],
};

/** Takes over what is in the rows after a crash, once it is known to be something that the command could leave. */
export function adopt(model: Model, rows: readonly ChunkedUpload[], crashed: Crashed): void {
  const { before, after } = crashed;
  const find = (uploads: readonly ModelUpload[], row: ChunkedUpload) =>
    uploads.find(({ id }) => id === row.id);
  for (const upload of before.uploads) {
    if (rows.some(({ id }) => id === upload.id)) continue;
    assert.ok(!after.uploads.some(({ id }) => id === upload.id), `${upload.id} is gone`);
  }
  model.now = after.now;
  model.uploads = rows.map((row) => {
    const was = find(before.uploads, row);
    const isCommitted = row.offset === 0 || row.storageState !== null || row.storageKey === null;
    assert.ok(isCommitted, `${row.id} has bytes that were not committed`);
    const upload = was ? known(row, was, find(after.uploads, row)) : unknown(row, crashed);
    const [expiresAt, touchedAt] = [at(row.expiresAt, model), at(row.updatedAt, model)];
    const lease = leaseOf(row, model);
    return { ...upload, lease, expiresAt, touchedAt, isTombstone: row.storageKey === null };
  });
}

function known(row: ChunkedUpload, was: ModelUpload, willBe: ModelUpload | undefined): ModelUpload {
  const { status, offset, size, generation } = row;
  const ends = [was, ...(willBe ? [willBe] : [])];
  const isEnd = ends.some((end) => end.status === status);
  assert.ok(isEnd || MIDWAY[status]?.includes(was.status), `${row.id} is ${status} after a crash`);
  const end = ends.find(({ bytes }) => bytes.length === offset);
  assert.ok(end, `${row.id} stands at ${offset} after a crash`);
  assert.ok(
    ends.some((other) => other.size === size),
    `${row.id} has size ${size} after a crash`,
  );
  assert.ok(generation - was.generation <= 1);
  return {
    ...was,
    status,
    size,
    generation,
    bytes: end.bytes,
    isCreated: was.isCreated || row.storageState !== null,
  };
}

function unknown(row: ChunkedUpload, { user, key, created }: Crashed): ModelUpload {
  assert.equal(row.userId, user);
  assert.ok(created, `${row.id} appeared in a command that creates none`);
  assert.ok(row.offset === 0 || row.offset === created.length, `${row.id} stands at ${row.offset}`);
  return {
    id: row.id,
    user,
    key: row.idempotencyKey === null ? undefined : key,
    status: row.status,
    size: row.size,
    bytes: created.subarray(0, row.offset),
    lease: null,
    generation: row.generation,
    expiresAt: 0,
    touchedAt: 0,
    isTombstone: false,
    isCreated: row.storageState !== null,
  };
}

function leaseOf({ leaseHolder, leaseExpiresAt }: ChunkedUpload, model: Model): ModelUpload['lease'] {
  if (leaseHolder === null || leaseExpiresAt === null) return null;
  return { holder: leaseHolder, until: at(leaseExpiresAt, model) };
}

/** A time of the database in the model's, to the minute: the model's clock only jumps. */
function at(time: Date, { now }: Model): number {
  return now + Math.round((time.getTime() - Date.now()) / 60_000) * 60_000;
}
