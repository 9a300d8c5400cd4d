import { constants } from 'node:fs';
import { copyFile, type FileHandle, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { systemCode } from '../../errors/system-code.js';
import type { StoredUpload } from '../storage-driver.interface.js';
import { FolderMaker, openEmpty, openExisting } from './durable-file.js';
import { committedGeneration, type LocalFiles } from './local-files.js';
import type { LocalVolume } from './local-volume.js';
import type { LocalTarget } from './local.writer.js';
import { bytesLost } from './storage-failure.js';

const MOST_ATTEMPTS = 20;

/** Opens the file an upload is received in, at an offset, so that what is written next follows what was acknowledged. */
export class LocalOpener {
  private readonly folders: FolderMaker;

  constructor(
    private readonly volume: LocalVolume,
    private readonly files: LocalFiles,
  ) {
    this.folders = new FolderMaker(volume.root);
  }

  /** The file of the upload's generation, forked from the committed one where they differ. */
  async open(upload: StoredUpload, offset: number): Promise<LocalTarget> {
    const volume = await this.volume.id();
    const path = this.files.part(upload, upload.generation);
    const committed = committedGeneration(upload);
    const isFork = committed !== upload.generation;
    const target = {
      path,
      offset,
      isNew: isFork || offset === 0,
      replaces: committed !== null && isFork ? this.files.part(upload, committed) : null,
      state: { volume, generation: upload.generation, ...this.files.remembered(upload) },
      isUnsynced: upload.storageState?.unsynced === true,
    };
    if (offset === 0) {
      await this.volume.verify(upload.storageState?.volume ?? volume);
      return { ...target, file: await this.create(path) };
    }
    const file = isFork ? null : await this.reopen(path, offset);
    if (file) return { ...target, file };
    await this.fork(upload, path, offset);
    return {
      ...target,
      isNew: true,
      file: (await this.reopen(path, offset)) ?? (await this.missing(upload)),
    };
  }

  /** A file that should be there is not: lost, unless this is another volume. */
  async explainMissing(upload: StoredUpload, error: unknown): Promise<never> {
    if (systemCode(error) !== 'ENOENT') throw error;
    return this.missing(upload);
  }

  private async missing(upload: StoredUpload): Promise<never> {
    await this.volume.verify(upload.storageState?.volume);
    throw bytesLost();
  }

  /** Creates a file and the folders it needs; those may be removed, as empty ones, while we are about it. */
  private async create(path: string): Promise<FileHandle> {
    for (let attempt = 1; ; attempt++) {
      try {
        await this.folders.ensure(dirname(path));
        return await openEmpty(path);
      } catch (error) {
        if (systemCode(error) !== 'ENOENT' || attempt === MOST_ATTEMPTS) throw error;
        this.folders.forget();
      }
    }
  }

  /** Opens a file that holds at least `offset` bytes, and cuts off the torn tail behind them. Null: there is none. */
  private async reopen(path: string, offset: number): Promise<FileHandle | null> {
    const file = await openExisting(path).catch((error: unknown) => {
      if (systemCode(error) !== 'ENOENT') throw error;
      return null;
    });
    if (!file) return null;
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

  /**
   * Copies the acknowledged prefix into a file of its own; shares the blocks where the filesystem can. A completion that was
   * refused after it had renamed the file left the bytes under the final name: they are copied from there, never renamed
   * back, since a paused writer may still hold the other name.
   */
  private async fork(upload: StoredUpload, to: string, length: number): Promise<void> {
    const from = await this.files.whereabouts(upload);
    const source = await stat(from).catch((error: unknown) => this.explainMissing(upload, error));
    if (source.size < length) throw bytesLost();
    await copyFile(from, to, constants.COPYFILE_FICLONE).catch((error: unknown) =>
      this.explainMissing(upload, error),
    );
  }
}
