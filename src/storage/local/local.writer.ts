import type { FileHandle } from 'node:fs/promises';
import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { OpenCommit, StorageState, StorageWriter } from '../storage-driver.interface.js';
import { syncFolder, writeFully } from './durable-file.js';
import { storageFailure, syncFailure } from './storage-failure.js';

/** Worth a sync of its own while the rest is still being received. */
const SYNC_AHEAD_BYTES = 2 * 1024 * 1024;

/** Where a writer writes, and what that replaces. */
export interface LocalTarget {
  readonly file: FileHandle;
  readonly path: string;
  /** First byte of the chunk. */
  readonly offset: number;
  /** The state to store with the offset when the chunk is committed. */
  readonly state: StorageState;
  /** Whether bytes in front of the chunk were never synced. */
  readonly isUnsynced: boolean;
  /** Whether the file's name is new, and so not yet durable. */
  readonly isNew: boolean;
  /** The file of an older generation, obsolete once `state` is committed. */
  readonly replaces: string | null;
}

/** Writes one chunk in place, at the offset, on one open handle. */
export class LocalWriter implements StorageWriter {
  private position: number;
  /** Whether the file is closed, or the next writer's. */
  private isOver = false;
  private isTouched = false;
  private syncedTo: number;
  /** The sync that runs beside the writes; the last one, when it failed. */
  private syncing: Promise<void> | null = null;

  constructor(private readonly target: LocalTarget) {
    this.position = target.offset;
    this.syncedTo = target.offset;
  }

  async write(buffers: readonly Buffer[]): Promise<void> {
    this.isTouched = true;
    try {
      this.position += await writeFully(this.target.file, buffers, this.position);
    } catch (error) {
      throw storageFailure(error);
    }
  }

  syncAhead(): void {
    if (this.syncing || this.position - this.syncedTo < SYNC_AHEAD_BYTES) return;
    this.syncedTo = this.position;
    this.syncing = this.target.file.datasync().then(() => void (this.syncing = null));
    // Commit hears of it; after an abort nobody has to.
    this.syncing.catch(() => undefined);
  }

  async commit(durable: boolean): Promise<StorageState> {
    return this.settle(durable, async () => {
      // Checked: on network filesystems and with quotas, close is where a lost write shows (tusd issue 698).
      this.isOver = true;
      await this.target.file.close();
    });
  }

  async commitOpen(durable: boolean): Promise<OpenCommit> {
    const state = await this.settle(durable, () => Promise.resolve());
    this.isOver = true;
    const { position: offset, target } = this;
    const next = { ...target, offset, isNew: false, replaces: null, isUnsynced: !durable };
    return { state, next: new LocalWriter(next) };
  }

  private async settle(durable: boolean, close: () => Promise<void>): Promise<StorageState> {
    const { path, isNew, state } = this.target;
    try {
      await this.syncAndClose(durable, close);
      if (durable && isNew) await syncFolder(dirname(path));
      return durable ? state : { ...state, unsynced: true };
    } catch (error) {
      throw storageFailure(error);
    }
  }

  private async syncAndClose(durable: boolean, close: () => Promise<void>): Promise<void> {
    try {
      await this.syncing;
      if (durable) await this.target.file.datasync();
      await close();
    } catch (error) {
      throw syncFailure(error, this.target.isUnsynced);
    }
  }

  async published(): Promise<void> {
    if (this.target.replaces) await rm(this.target.replaces, { force: true }).catch(() => undefined);
  }

  async abort(): Promise<void> {
    if (this.isOver) return;
    this.isOver = true;
    const { file, path, offset, isNew } = this.target;
    // Best effort, to free the space now: the next writer cuts off whatever is left, and cleanup deletes the rest.
    await this.syncing?.catch(() => undefined);
    if (this.isTouched) await file.truncate(offset).catch(() => undefined);
    const closed = await file.close().then(
      () => null,
      (error: unknown) => error,
    );
    if (closed && this.target.isUnsynced) throw syncFailure(closed, true);
    if (isNew) await rm(path, { force: true }).catch(() => undefined);
  }
}
