import { rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { systemCode } from '../../errors/system-code.js';
import type { StoredUpload } from '../storage-driver.interface.js';
import { openExisting, statOrNull, syncFolder, syncFolderAfter } from './durable-file.js';
import { committedGeneration, type LocalFiles } from './local-files.js';
import type { LocalOpener } from './local.opener.js';
import { LocalWriter } from './local.writer.js';
import { syncFailure } from './storage-failure.js';

/** Gives received files their final names. What a crash, or another holder, left half done is gone on with. */
export class LocalSealer {
  constructor(
    private readonly files: LocalFiles,
    private readonly opener: LocalOpener,
  ) {}

  /** Syncs the file, `size` bytes long, renames it, and makes the name durable; then no other file of it is left. */
  async seal(upload: StoredUpload, size: number): Promise<void> {
    if (await this.sealReceived(upload, size)) return this.dropParts(upload, upload.generation);
    // Another holder whose lease ran out may have done it meanwhile: then it is done, whatever became of this try.
    if (!(await this.isSealed(upload, size))) {
      await this.unlessSealed(upload, size, this.sealRepaired(upload, size));
    }
    // In any case: a crash between the name and its sync left one that a power cut would take away.
    await syncFolder(dirname(this.files.final(upload)));
    await this.dropParts(upload);
  }

  /** Deletes what was received and has not its final name. @param end generation to stop before; all without it. */
  async dropParts(upload: StoredUpload, end = upload.generation + 1): Promise<void> {
    for (let generation = 0; generation < end; generation++) {
      await rm(this.files.part(upload, generation), { force: true });
    }
  }

  /**
   * Seals a file that is there, and as long as it should be; each step takes a turn of the thread pool, so those that
   * do not depend on each other are taken together. False: it is not so, and nothing was done.
   */
  private async sealReceived(upload: StoredUpload, size: number): Promise<boolean> {
    if (committedGeneration(upload) !== upload.generation) return false;
    const part = this.files.part(upload, upload.generation);
    return syncFolderAfter(dirname(part), async () => {
      if ((await this.syncedSize(upload, part)) !== size) return false;
      await this.unlessSealed(upload, size, rename(part, this.files.final(upload)));
      return true;
    });
  }

  /** The size of a file whose bytes are on the disk; null when there is none. */
  private async syncedSize(upload: StoredUpload, path: string): Promise<number | null> {
    const file = await openExisting(path).catch((error: unknown) => {
      if (systemCode(error) !== 'ENOENT') throw error;
      return null;
    });
    if (!file) return null;
    try {
      const syncing = file.datasync().catch((error: unknown) => {
        throw syncFailure(error, upload.storageState?.unsynced === true);
      });
      const [{ size }] = await Promise.all([file.stat(), syncing]);
      return size;
    } finally {
      await file.close();
    }
  }

  /** Seals a file that has a torn tail, is of an older generation, or is not there at all. */
  private async sealRepaired(upload: StoredUpload, size: number): Promise<void> {
    const target = await this.opener.open(upload, size);
    const writer = new LocalWriter(target);
    try {
      await writer.commit(true);
    } catch (error) {
      await writer.abort();
      throw error;
    }
    await rename(target.path, this.files.final(upload));
  }

  private async unlessSealed(upload: StoredUpload, size: number, sealing: Promise<void>): Promise<void> {
    await sealing.catch(async (error: unknown) => {
      if (!(await this.isSealed(upload, size))) throw error;
    });
  }

  /** Whether the file has its final name: nothing is received under another one any more. */
  private async isSealed(upload: StoredUpload, size: number): Promise<boolean> {
    const finished = await statOrNull(this.files.final(upload));
    if (finished?.size !== size) return false;
    return !(await statOrNull(this.files.part(upload, committedGeneration(upload) ?? upload.generation)));
  }
}
