import { addAbortSignal } from 'node:stream';
import { CHECKSUM_ALGORITHMS, type Checksums } from '../engine/checksum-algorithm.js';
import { storedUpload } from '../engine/engine-context.js';
import { RunningDigest } from '../engine/running-digest.js';
import { UploadError } from '../errors/upload-error.js';
import type { AbstractChunkedUpload } from '../persistence/abstract-chunked-upload.entity.js';
import type { UploadType } from '../upload-type.js';
import { chosenTypes } from './chosen-types.js';

const PAGE = 100;
const FIRST_ID = '00000000-0000-0000-0000-000000000000';
const EVERYBODYS = { userId: null, restricted: false };

/**
 * How a file is: `intact`; `changed`, of another size or checksum; `missing`; `unreadable`, the storage answered with an
 * error; `unchecked`, of the right size and without a checksum to compare; `incomplete`, not to be verified yet;
 * `unknown`, no upload has this id.
 */
export type Verdict =
  'intact' | 'changed' | 'missing' | 'unreadable' | 'unchecked' | 'incomplete' | 'unknown';

/** What was found of one upload. */
export interface VerifiedUpload {
  readonly id: string;
  /** Name of its upload type; null for an unknown one. */
  readonly type: string | null;
  readonly filename: string | null;
  /** Its size, as the row has it. */
  readonly bytes: number;
  readonly verdict: Verdict;
}

/** How to verify. */
export interface VerificationOptions {
  /** Ends it, in the middle of a file too; what that file is like is not told. */
  readonly signal?: AbortSignal;
  /** Called with the bytes that were read since the last call. */
  readonly onBytes?: (bytes: number) => void;
}

/** Reads complete uploads again and compares them with the checksums they were completed with. Memory stays flat. */
export class UploadVerification {
  constructor(private readonly types: Iterable<UploadType>) {}

  /**
   * Verifies every complete upload, of all types or of those named.
   * @throws RangeError for a type that is not there.
   * @throws UploadError `storage_unavailable`: nothing is judged by a storage that is not there.
   */
  async *all(options: VerificationOptions & { readonly types?: readonly string[] } = {}): Verified {
    for (const type of chosenTypes(this.types, options.types)) {
      const { inspection } = type.engine.context.repositories;
      for (let after: string | undefined = FIRST_ID; after !== undefined;) {
        const page: AbstractChunkedUpload[] = await inspection.complete(after, PAGE);
        for (const upload of page) {
          const verified = await verify(type, upload, options);
          if (options.signal?.aborted) return;
          // Deleted meanwhile: nobody asked about this one.
          if (verified.verdict !== 'unknown') yield verified;
        }
        after = page.at(-1)?.id;
      }
    }
  }

  /** Verifies uploads by their ids, of whatever type. @throws UploadError `storage_unavailable`. */
  async *some(ids: readonly string[], options: VerificationOptions = {}): Verified {
    for (const id of ids) {
      const verified = await this.one(id, options);
      if (options.signal?.aborted) return;
      yield verified;
    }
  }

  private async one(id: string, options: VerificationOptions): Promise<VerifiedUpload> {
    for (const type of this.types) {
      const found = await type.engine.context.repositories.uploads.sight(id, EVERYBODYS);
      if (found) return verify(type, found.upload, options);
    }
    return { id, type: null, filename: null, bytes: 0, verdict: 'unknown' };
  }
}

type Verified = AsyncGenerator<VerifiedUpload, void>;

async function verify(
  type: UploadType,
  upload: AbstractChunkedUpload,
  options: VerificationOptions,
): Promise<VerifiedUpload> {
  const { id, filename, offset: bytes } = upload;
  const verified = { id, type: type.name, filename, bytes };
  if (upload.status !== 'complete') return { ...verified, verdict: 'incomplete' };
  const verdict = await judge(type, upload, options);
  if (verdict === 'intact' || verdict === 'unchecked') return { ...verified, verdict };
  // An upload that was deleted while it was read has lost its bytes rightly.
  const now = await type.engine.context.repositories.uploads.sight(id, EVERYBODYS);
  return { ...verified, verdict: now?.upload.status === 'complete' ? verdict : 'unknown' };
}

async function judge(
  { engine }: UploadType,
  upload: AbstractChunkedUpload,
  options: VerificationOptions,
): Promise<Verdict> {
  const stored = await engine.context.driver.size(storedUpload(upload));
  if (stored === null) return 'missing';
  if (stored !== upload.offset) return 'changed';
  const algorithms = CHECKSUM_ALGORITHMS.filter((algorithm) => upload.checksums[algorithm] !== undefined);
  if (algorithms.length === 0) return 'unchecked';
  const digest = await RunningDigest.start(algorithms);
  try {
    const stream = engine.read(upload, { start: 0, end: upload.offset });
    if (options.signal) addAbortSignal(options.signal, stream);
    for await (const buffer of stream as AsyncIterable<Buffer>) {
      digest.update([buffer]);
      options.onBytes?.(buffer.length);
    }
    return isSame(digest.finish(), upload) ? 'intact' : 'changed';
  } catch (error) {
    if (UploadError.is(error, 'failed')) return 'missing';
    if (UploadError.is(error, 'storage_unavailable') || options.signal?.aborted) return 'unreadable';
    throw error;
  } finally {
    digest.release();
  }
}

function isSame(found: Checksums, { checksums }: AbstractChunkedUpload): boolean {
  return Object.entries(found).every(([algorithm, checksum]) => checksums[algorithm] === checksum);
}
