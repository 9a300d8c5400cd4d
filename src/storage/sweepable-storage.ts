import type { StorageDriver, StoredUpload } from './storage-driver.interface.js';

/** One stored object, as it is found in the store: nothing is known of it but its name. */
export interface StoredObject {
  /** The upload it was made for. */
  readonly uploadId: string;
  /** Its place in the store, for {@link SweepableStorage.remove}. */
  readonly key: string;
  readonly bytes: number;
  readonly modifiedAt: Date;
}

/** A store whose objects can be listed, so that those no row needs can be found. A capability beside the driver's. */
export interface SweepableStorage extends StorageDriver {
  /** Every object this driver made, in no order; what else is in the store is passed over. */
  list(): AsyncIterable<StoredObject>;
  /** Whether the object of this key lies beside the one of a complete upload, where only what is left of receiving it can. */
  isBesideFinal(upload: StoredUpload, key: string): boolean;
  /** Deletes one object. Missing is success. */
  remove(key: string): Promise<void>;
}

/** Whether a driver can list what it stores. */
export function isSweepable(driver: StorageDriver): driver is SweepableStorage {
  return 'list' in driver && 'remove' in driver && 'isBesideFinal' in driver;
}
