import type { ChunkWindow } from '../../../src/engine/chunk-window.js';
import type { Code, Model, ModelUpload } from './upload-model.js';
import { type Ending, type HookName, MAX_BYTES, MAX_CHUNK_BYTES, md5 } from './world.js';

export interface ChunkInput {
  readonly user: string;
  readonly window: ChunkWindow | null;
  readonly bytes: Buffer;
  readonly isRaw: boolean;
  readonly ending: Ending;
  readonly refuses: HookName | null;
}

export interface CreateInput extends ChunkInput {
  readonly key: string | undefined;
  /** An id behind the bytes of a form: they belong to that upload. */
  readonly continues: ModelUpload | null;
}

export type ChecksumKind = 'right' | 'upper' | 'wrong' | 'missing' | 'short' | 'unknown';

export interface CompleteInput {
  readonly user: string;
  readonly checksum: ChecksumKind;
  readonly refuses: HookName | null;
}

function admitWindow(window: ChunkWindow | null): Code {
  if (window && window.end - window.start > MAX_CHUNK_BYTES) return 'chunk_too_large';
  return window && (window.total ?? window.end) > MAX_BYTES ? 'too_large' : null;
}

/** Why a body is not taken whole, its window and the room known. */
function bodyCode({ window, bytes, ending, isRaw }: ChunkInput, room: number): Code {
  const wanted = window ? window.end - window.start : Math.min(room, MAX_CHUNK_BYTES);
  if (bytes.length > wanted) {
    if (window) return 'length_mismatch';
    return bytes.length > MAX_CHUNK_BYTES ? 'chunk_too_large' : 'too_large';
  }
  if (ending === 'broken') return 'length_mismatch';
  if (ending === 'broken behind' && !isRaw) return 'malformed_request';
  return window && bytes.length < wanted ? 'length_mismatch' : null;
}

/** Appends to the model; the answer is the code. */
export function append(model: Model, upload: ModelUpload | undefined, input: ChunkInput): Code {
  const { user, window, bytes, ending, isRaw } = input;
  const { start, end, total } = window ?? { start: 0, end: null, total: null };
  const refusal = admitWindow(window) ?? model.usable(user, upload);
  if (refusal || !upload) return refusal;
  if (upload.status === 'complete') return 'already_complete';
  model.releaseIfDead(upload);
  if (upload.status === 'completing') return 'busy';
  if (upload.bytes.length !== start) return 'offset_mismatch';
  if (upload.size !== null && total !== null && upload.size !== total) return 'size_mismatch';
  if (upload.size !== null && end !== null && end > upload.size) return 'size_mismatch';
  if (model.isLeased(upload)) return 'busy';
  model.take(upload);
  if (input.refuses === 'beforeChunk') return 'refused';
  const code = bodyCode(input, (upload.size ?? MAX_BYTES) - upload.bytes.length);
  const fits = bytes.length <= (window ? window.end - window.start : MAX_CHUNK_BYTES);
  const isPrefix = ending === 'broken' && isRaw && bytes.length > 0 && fits && code === 'length_mismatch';
  if (code === null) model.commit(upload, bytes, window ? window.total : bytes.length);
  else if (isPrefix) model.commit(upload, bytes, total);
  return code;
}

/** Creates in the model; the result is the code, or the upload that was there before. */
export function create(model: Model, input: CreateInput): { code: Code; existing?: ModelUpload } {
  const { user, window, isRaw, refuses, continues } = input;
  const early = admitWindow(window);
  if (early) return { code: early };
  if (isRaw && window && window.start !== 0) return { code: 'offset_mismatch' };
  if (isRaw && refuses === 'beforeCreate') return { code: 'refused' };
  const existing = model.byKey(user, input.key);
  if (existing) {
    if (existing.isCreated && !model.isExpired(existing) && existing.status !== 'deleting') {
      return { code: null, existing };
    }
    model.releaseIfDead(existing);
    if (model.isLeased(existing)) return { code: 'busy' };
    model.remove(existing);
  }
  const code = bodyCode(input, MAX_BYTES);
  if (code) return { code };
  if (continues) return { code: append(model, continues, { ...input, isRaw: false }) };
  if (window && window.start !== 0) return { code: 'offset_mismatch' };
  return { code: refuses === 'beforeCreate' ? 'refused' : null };
}

/** Completes in the model. */
export function complete(model: Model, upload: ModelUpload | undefined, input: CompleteInput): Code {
  const refusal = model.usable(input.user, upload);
  if (refusal || !upload) return refusal;
  const wrong = checksumCode(input.checksum);
  if (upload.status === 'complete') return wrong;
  model.releaseIfDead(upload);
  if (upload.size !== null && upload.size !== upload.bytes.length) return 'incomplete';
  if (model.isLeased(upload)) return 'busy';
  model.take(upload);
  upload.touchedAt = model.now;
  upload.status = 'uploading';
  if (wrong) return wrong;
  if (input.refuses === 'beforeComplete') return 'refused';
  upload.size = upload.bytes.length;
  if (input.refuses === 'onComplete') return 'refused';
  upload.status = 'complete';
  upload.isCreated = true;
  return null;
}

/** Whether there is nothing to compare, whatever the bytes are. */
export function isUncomparable(kind: ChecksumKind): boolean {
  return kind === 'missing' || kind === 'unknown';
}

export function checksumCode(kind: ChecksumKind): Code {
  const codes = {
    right: null,
    upper: null,
    wrong: 'checksum_mismatch',
    missing: 'checksum_missing',
    short: 'checksum_malformed',
    unknown: 'checksum_unknown',
  } as const;
  return codes[kind];
}

/** Checksums as a client would send them for these bytes. */
export function checksums(kind: ChecksumKind, bytes: Buffer): ReadonlyMap<string, unknown> {
  const right = md5(bytes);
  const values: Record<ChecksumKind, [string, string][]> = {
    right: [['md5', right]],
    upper: [['md5', right.toUpperCase()]],
    wrong: [['md5', md5(Buffer.concat([bytes, Buffer.from('?')]))]],
    missing: [],
    short: [['md5', right.slice(1)]],
    unknown: [['sha1', right]],
  };
  return new Map(values[kind]);
}

/** Cancels in the model. */
export function cancel(model: Model, upload: ModelUpload | undefined, user: string): Code {
  if (upload?.user !== user) return 'not_found';
  if (upload.isTombstone) return 'expired';
  model.remove(upload);
  return null;
}

/** Cleans the model; the result is how many uploads. */
export function clean(model: Model, keepRecords: boolean): number {
  const due = model.due();
  for (const upload of due) {
    upload.status = 'deleting';
    upload.touchedAt = model.now;
    upload.lease = null;
    upload.isTombstone = keepRecords;
    if (!keepRecords) model.remove(upload);
  }
  return due.length;
}
