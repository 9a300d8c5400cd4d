import type { ChecksumAlgorithm, Checksums } from '../../engine/checksum-algorithm.js';
import { toFilename } from '../../engine/file-name.js';
import { mediaTypeOf } from '../../engine/file-type.js';
import { RunningDigest } from '../../engine/running-digest.js';
import { UploadError } from '../../errors/upload-error.js';
import type { AbstractChunkedUpload } from '../../persistence/abstract-chunked-upload.entity.js';
import type { ImportRepository } from '../../persistence/import.repository.js';
import { canAdopt } from '../../storage/file-import.js';
import type { StorageState, StoredUpload } from '../../storage/storage-driver.interface.js';
import { storageKeyFor } from '../../storage/storage-key.js';
import type { UploadType } from '../../upload-type.js';
import type { DjangoUpload } from './django-table.js';
import { ImportProblem } from './import-problem.js';
import { type MediaFile, readFiles } from './media-folder.js';

/** Constraints of the app's table but the primary key: then the row is somebody's, and so are the bytes. */
const REFUSED_ROW = /^23(?!505)/;

/**
 * Stores one upload: its bytes first, through the driver, then its row. A crash in between leaves bytes that the next run
 * writes over, or the next sweep deletes.
 */
export class UploadImporter {
  constructor(
    private readonly type: UploadType,
    private readonly rows: ImportRepository<AbstractChunkedUpload>,
    private readonly options: { readonly link: boolean; readonly owners: ReadonlyMap<string, string> },
  ) {}

  /** @throws ImportProblem `filename`, `short`, `checksum`, `refused`; UploadError when storage or database are away. */
  async import(upload: DjangoUpload, files: readonly MediaFile[]): Promise<void> {
    const { driver, policy } = this.type.engine.context;
    const filename = nameOf(upload, policy.maxFilenameBytes);
    const stored = this.placeOf(upload);
    const digest = await RunningDigest.start(this.algorithmsFor(upload));
    try {
      const bytes = { files, length: upload.received };
      const storageState =
        upload.state === 'complete'
          ? await this.storeComplete(stored, bytes, digest)
          : await this.copy(stored, bytes, digest);
      const received =
        upload.state === 'complete'
          ? { checksums: matching(digest.finish(), upload.md5), digestState: null }
          : { checksums: {}, digestState: digest.save() };
      const row = { ...this.describe(upload, filename), ...received, storageKey: stored.storageKey };
      await this.rows.insert({ ...row, storageState }, policy.expiresInMs);
    } catch (error) {
      if (!isProblem(error)) throw error;
      await driver.discard(stored);
      throw error instanceof ImportProblem
        ? error
        : new ImportProblem('refused', (error as Error).message, { cause: error });
    } finally {
      digest.release();
    }
  }

  private placeOf({ id, createdAt, userId }: DjangoUpload): StoredUpload & { storageState: null } {
    if (id === null) throw new ImportProblem('id', 'an upload needs a UUID');
    const { folder } = this.type.engine.context.policy;
    const storageKey = storageKeyFor({ id, createdAt, userId }, folder);
    return { id, storageKey, generation: 0, storageState: null };
  }

  /** Those of the upload type, and MD5 where Django kept one to compare with. */
  private algorithmsFor({ state, md5 }: DjangoUpload): ChecksumAlgorithm[] {
    const { algorithms } = this.type.engine.context.policy;
    return [...new Set([...algorithms, ...(state === 'complete' && md5 ? (['md5'] as const) : [])])];
  }

  private describe(upload: DjangoUpload, filename: string): Partial<AbstractChunkedUpload> {
    const isComplete = upload.state === 'complete';
    const { owner, userId, createdAt, completedAt } = upload;
    return {
      ...(upload.id !== null && { id: upload.id }),
      filename,
      contentType: mediaTypeOf(null, filename),
      size: isComplete ? upload.received : upload.size,
      offset: upload.received,
      status: isComplete ? 'complete' : 'uploading',
      userId,
      ownerType: owner && this.ownerType(owner.type),
      ownerId: owner && owner.id,
      createdAt,
      completedAt: isComplete ? (completedAt ?? createdAt) : null,
    };
  }

  private ownerType(type: string): string {
    return this.options.owners.get(type) ?? type.slice(type.indexOf('.') + 1);
  }

  private async storeComplete(
    stored: StoredUpload,
    bytes: Source,
    digest: RunningDigest,
  ): Promise<StorageState> {
    const { driver } = this.type.engine.context;
    const [only] = bytes.files;
    if (this.options.link && only && bytes.files.length === 1 && canAdopt(driver)) {
      const state = await driver.adopt(stored, only.path);
      if (state) {
        for await (const piece of readFiles(bytes.files, bytes.length)) digest.update([piece]);
        return state;
      }
    }
    const storageState = await this.copy(stored, bytes, digest);
    return driver.finish({ ...stored, storageState }, bytes.length);
  }

  private async copy(
    stored: StoredUpload,
    { files, length }: Source,
    digest: RunningDigest,
  ): Promise<StorageState> {
    const writer = await this.type.engine.context.driver.append(stored, 0);
    try {
      for await (const piece of readFiles(files, length)) {
        const written = writer.write([piece]);
        digest.update([piece]);
        await written;
      }
      return await writer.commit(true);
    } catch (error) {
      await writer.abort();
      throw error;
    }
  }
}

/** The first `length` bytes of files, one behind the other. */
interface Source {
  readonly files: readonly MediaFile[];
  readonly length: number;
}

function nameOf({ filename }: DjangoUpload, maxBytes: number): string {
  try {
    return toFilename(filename, maxBytes);
  } catch (error) {
    if (!UploadError.is(error, 'filename_invalid')) throw error;
    throw new ImportProblem('filename', error.message, { cause: error });
  }
}

function matching(checksums: Checksums, md5: string | null): Checksums {
  if (md5 === null || checksums.md5 === md5.toLowerCase()) return checksums;
  throw new ImportProblem('checksum', `the MD5 is ${checksums.md5}, but Django kept ${md5}`);
}

/** Whether an error is about this upload alone, and its bytes can go. */
function isProblem(error: unknown): boolean {
  if (error instanceof ImportProblem) return true;
  const { driverError } = (error ?? {}) as { driverError?: { code?: unknown } };
  return typeof driverError?.code === 'string' && REFUSED_ROW.test(driverError.code);
}
