import { createReadStream, type ReadStream } from 'node:fs';
import { link, rm, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { PassThrough, pipeline, type Readable } from 'node:stream';
import type {
  ByteRange,
  StorageCapabilities,
  StorageState,
  StorageWriter,
  StoredUpload,
} from '../storage-driver.interface.js';
import { systemCode } from '../../errors/system-code.js';
import type { LinkableStorage } from '../file-export.js';
import type { AdoptingStorage } from '../file-import.js';
import type { StoredObject, SweepableStorage } from '../sweepable-storage.js';
import { FolderMaker, openExisting, removeEmptyFolders, statOrNull, syncFolder } from './durable-file.js';
import { LocalOpener } from './local.opener.js';
import { LocalSealer } from './local.sealer.js';
import { LocalWriter } from './local.writer.js';
import type { FileExtensions } from '../storage-key.js';
import { LocalFiles, resolveExtensions } from './local-files.js';
import { listObjects } from './local-listing.js';
import { LocalVolume } from './local-volume.js';
import { bytesLost, storageFailure } from './storage-failure.js';

/** Options of {@link LocalStorage}. */
export interface LocalStorageOptions {
  /** Folder that holds the bytes; created when missing. Never serve it: files in it are named by ids only. */
  readonly root: string;
  /**
   * What files end in while they are received, and when they are complete; uploads keep those they began with.
   * @default { receiving: 'part', complete: 'done' }
   */
  readonly extensions?: Partial<FileExtensions>;
}

/**
 * Bytes in one local folder, one file an upload, written in place. The folder may be shared by several processes of
 * one host, or over a network filesystem that keeps what it was told to sync.
 */
export class LocalStorage implements SweepableStorage, LinkableStorage, AdoptingStorage {
  readonly capabilities: StorageCapabilities = { minChunkBytes: 0 };
  private readonly volume: LocalVolume;
  private readonly files: LocalFiles;
  private readonly opener: LocalOpener;
  private readonly sealer: LocalSealer;

  /** @throws RangeError for extensions that are none. */
  constructor({ root, extensions = {} }: LocalStorageOptions) {
    this.volume = new LocalVolume(root);
    this.files = new LocalFiles(this.volume.root, resolveExtensions(extensions));
    this.opener = new LocalOpener(this.volume, this.files);
    this.sealer = new LocalSealer(this.files, this.opener);
  }

  check(): Promise<void> {
    return this.volume.check();
  }

  async append(upload: StoredUpload, offset: number): Promise<StorageWriter> {
    try {
      return new LocalWriter(await this.opener.open(upload, offset));
    } catch (error) {
      throw storageFailure(error);
    }
  }

  async size(upload: StoredUpload): Promise<number | null> {
    const found = await statOrNull(await this.files.whereabouts(upload));
    // Nothing there, or nothing mounted there?
    if (!found && upload.storageState) await this.volume.verify(upload.storageState.volume);
    return found?.size ?? null;
  }

  read(upload: StoredUpload, { start, end }: ByteRange): Readable {
    const stream = new PassThrough();
    if (end <= start) return stream.end();
    this.openRange(upload, { start, end }).then(
      // The reader may have gone: pipeline closes the file whichever side ends first.
      (file) => pipeline(file, stream, () => undefined),
      (error: unknown) => stream.destroy(storageFailure(error)),
    );
    return stream;
  }

  async finish(upload: StoredUpload, size: number): Promise<StorageState> {
    try {
      await this.sealer.seal(upload, size);
      const { generation } = upload;
      return { volume: await this.volume.id(), generation, finished: true, ...this.files.remembered(upload) };
    } catch (error) {
      throw storageFailure(error);
    }
  }

  async discard(upload: StoredUpload): Promise<void> {
    try {
      if (upload.storageState) await this.volume.verify(upload.storageState.volume);
      // Parts before the final file: of a completion that renames meanwhile, the result is deleted too.
      await this.sealer.dropParts(upload);
      await rm(this.files.final(upload), { force: true });
      await removeEmptyFolders(this.volume.root, dirname(this.files.path(upload.storageKey)));
    } catch (error) {
      throw storageFailure(error);
    }
  }

  async linkTo(upload: StoredUpload, path: string): Promise<boolean> {
    try {
      await link(this.files.final(upload), path);
      return true;
    } catch (error) {
      if (systemCode(error) === 'EXDEV') return false;
      throw error;
    }
  }

  async adopt(upload: StoredUpload, path: string): Promise<StorageState | null> {
    const final = this.files.final(upload);
    try {
      const volume = await this.volume.id();
      await new FolderMaker(this.volume.root).ensure(dirname(final));
      // What a run left that was cut off; no row knows it.
      await rm(final, { force: true });
      await link(path, final);
      // Whoever wrote it may never have synced it.
      const file = await openExisting(final);
      await file.datasync().finally(() => file.close());
      await syncFolder(dirname(final));
      return {
        volume,
        generation: upload.generation,
        ...this.files.remembered(upload),
        finished: true,
      };
    } catch (error) {
      if (systemCode(error) === 'EXDEV') return null;
      throw storageFailure(error);
    }
  }

  list(): AsyncIterable<StoredObject> {
    return listObjects(this.volume.root, this.files.extensions);
  }

  isBesideFinal(upload: StoredUpload, key: string): boolean {
    const [path, final] = [this.files.path(key), this.files.final(upload)];
    // The same folder by the same name: a copy elsewhere, or a folder of two names, is somebody else's.
    return dirname(path) === dirname(final) && basename(path) !== basename(final);
  }

  async remove(key: string): Promise<void> {
    await rm(this.files.path(key), { force: true }).catch((error: unknown) =>
      Promise.reject(storageFailure(error)),
    );
  }

  private async openRange(upload: StoredUpload, { start, end }: ByteRange): Promise<ReadStream> {
    const path = await this.files.whereabouts(upload);
    const { size } = await stat(path).catch((error: unknown) => this.opener.explainMissing(upload, error));
    if (size < end) throw bytesLost();
    return createReadStream(path, { start, end: end - 1, highWaterMark: 256 * 1024 });
  }
}
