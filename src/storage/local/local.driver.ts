import { constants, createReadStream, type ReadStream } from 'node:fs';
import { copyFile, type FileHandle, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { PassThrough, pipeline, type Readable } from 'node:stream';
import type {
  ByteRange,
  StorageCapabilities,
  StorageState,
  StorageWriter,
  StoredUpload,
} from '../storage-driver.interface.js';
import type { StoredObject, SweepableStorage } from '../sweepable-storage.js';
import {
  makeFolders,
  openEmpty,
  openExisting,
  removeEmptyFolders,
  statOrNull,
  syncFolder,
} from './durable-file.js';
import { type LocalTarget, LocalWriter } from './local.writer.js';
import { committedGeneration, LocalFiles } from './local-files.js';
import { listObjects } from './local-listing.js';
import { LocalVolume } from './local-volume.js';
import { systemCode } from '../../errors/system-code.js';
import { bytesLost, storageFailure } from './storage-failure.js';

/** Options of {@link LocalStorage}. */
export interface LocalStorageOptions {
  /** Folder that holds the bytes; created when missing. Never serve it: files in it are named by ids only. */
  readonly root: string;
}

/**
 * Bytes in one local folder, one file an upload, written in place. The folder may be shared by several processes of
 * one host, or over a network filesystem that keeps what it was told to sync.
 */
export class LocalStorage implements SweepableStorage {
  readonly capabilities: StorageCapabilities = { minChunkBytes: 0 };
  private readonly volume: LocalVolume;
  private readonly files: LocalFiles;

  constructor({ root }: LocalStorageOptions) {
    this.volume = new LocalVolume(root);
    this.files = new LocalFiles(this.volume.root);
  }

  check(): Promise<void> {
    return this.volume.check();
  }

  async append(upload: StoredUpload, offset: number): Promise<StorageWriter> {
    try {
      return new LocalWriter(await this.target(upload, offset));
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
    const final = this.files.final(upload);
    try {
      const finished = await statOrNull(final);
      if (!finished) await this.seal(upload, size, final);
      else if (finished.size !== size) throw bytesLost();
      // A crash between the name and its sync left a name that a power cut would take away.
      else await syncFolder(dirname(final));
      await this.dropParts(upload);
      return { volume: await this.volume.id(), generation: upload.generation, finished: true };
    } catch (error) {
      throw storageFailure(error);
    }
  }

  async discard(upload: StoredUpload): Promise<void> {
    try {
      if (upload.storageState) await this.volume.verify(upload.storageState.volume);
      // Parts before the final file: of a completion that renames meanwhile, the result is deleted too.
      await this.dropParts(upload);
      await rm(this.files.final(upload), { force: true });
      await removeEmptyFolders(this.volume.root, dirname(this.files.path(upload.storageKey)));
    } catch (error) {
      throw storageFailure(error);
    }
  }

  list(): AsyncIterable<StoredObject> {
    return listObjects(this.volume.root);
  }

  async remove(key: string): Promise<void> {
    await rm(this.files.path(key), { force: true }).catch((error: unknown) =>
      Promise.reject(storageFailure(error)),
    );
  }

  /** Opens the file of the upload's generation at `offset`, forked from the committed one where they differ. */
  private async target(upload: StoredUpload, offset: number): Promise<LocalTarget> {
    const volume = await this.volume.id();
    const path = this.files.part(upload, upload.generation);
    const committed = committedGeneration(upload);
    const isNew = committed !== upload.generation;
    const replaces = committed !== null && isNew ? this.files.part(upload, committed) : null;
    const target = { path, offset, isNew, replaces, state: { volume, generation: upload.generation } };
    if (offset === 0) {
      await this.volume.verify(upload.storageState?.volume ?? volume);
      return { ...target, file: await this.create(path) };
    }
    if (replaces) await this.fork(upload, { from: replaces, to: path, length: offset });
    return { ...target, file: await this.reopen(upload, path, offset) };
  }

  private async create(path: string): Promise<FileHandle> {
    try {
      return await openEmpty(path);
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') throw error;
      await makeFolders(this.volume.root, dirname(path));
      return openEmpty(path);
    }
  }

  /** Opens a file that holds at least `offset` bytes, and cuts off the torn tail behind them. */
  private async reopen(upload: StoredUpload, path: string, offset: number): Promise<FileHandle> {
    const file = await openExisting(path).catch((error: unknown) => this.explainMissing(upload, error));
    try {
      const { size } = await file.stat();
      if (size < offset) throw bytesLost();
      if (size > offset) await file.truncate(offset);
      return file;
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** Copies the acknowledged prefix into a file of its own; shares the blocks where the filesystem can. */
  private async fork(
    upload: StoredUpload,
    copy: { from: string; to: string; length: number },
  ): Promise<void> {
    const source = await stat(copy.from).catch((error: unknown) => this.explainMissing(upload, error));
    if (source.size < copy.length) throw bytesLost();
    await copyFile(copy.from, copy.to, constants.COPYFILE_FICLONE);
  }

  /** Cuts the received file to its exact size, syncs it, and gives it its final name, durably. */
  private async seal(upload: StoredUpload, size: number, final: string): Promise<void> {
    const target = await this.target(upload, size);
    const writer = new LocalWriter(target);
    try {
      await writer.commit(true);
    } catch (error) {
      await writer.abort();
      throw error;
    }
    await rename(target.path, final);
    await syncFolder(dirname(final));
  }

  private async openRange(upload: StoredUpload, { start, end }: ByteRange): Promise<ReadStream> {
    const path = await this.files.whereabouts(upload);
    const { size } = await stat(path).catch((error: unknown) => this.explainMissing(upload, error));
    if (size < end) throw bytesLost();
    return createReadStream(path, { start, end: end - 1, highWaterMark: 256 * 1024 });
  }

  /** A file that should be there is not: lost, unless this is another volume. */
  private async explainMissing(upload: StoredUpload, error: unknown): Promise<never> {
    if (systemCode(error) !== 'ENOENT') throw error;
    await this.volume.verify(upload.storageState?.volume);
    throw bytesLost();
  }

  private async dropParts(upload: StoredUpload): Promise<void> {
    for (let generation = 0; generation <= upload.generation; generation++) {
      await rm(this.files.part(upload, generation), { force: true });
    }
  }
}
