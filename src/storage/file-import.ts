import type { StorageDriver, StorageState, StoredUpload } from './storage-driver.interface.js';

/** A store of files, which can take one over without copying it. A capability beside the driver's. */
export interface AdoptingStorage extends StorageDriver {
  /**
   * Makes the file at `path` the bytes of a completed upload, by a further name for it, durably. Repeatable.
   * Null: it is on another volume, and nothing was done.
   */
  adopt(upload: StoredUpload, path: string): Promise<StorageState | null>;
}

/** Whether a driver can take files over. */
export function canAdopt(driver: StorageDriver): driver is AdoptingStorage {
  return 'adopt' in driver;
}
