import { createWriteStream } from 'node:fs';
import { link, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { syncFolder } from './local/durable-file.js';
import type { StorageDriver, StoredUpload } from './storage-driver.interface.js';

/** A store of files, which can give one a second name without copying it. A capability beside the driver's. */
export interface LinkableStorage extends StorageDriver {
  /** Gives a completed file a further name. False: that is on another volume. */
  linkTo(upload: StoredUpload, path: string): Promise<boolean>;
}

function isLinkable(driver: StorageDriver): driver is LinkableStorage {
  return 'linkTo' in driver;
}

/**
 * Puts a completed upload's bytes at `path`, whole and durable or not at all; by a link where the store can.
 * @throws Node's `EEXIST` when there is a file already, and others of the path.
 */
export async function exportFile(
  driver: StorageDriver,
  { upload, size }: { upload: StoredUpload; size: number },
  path: string,
): Promise<void> {
  const isLinked = isLinkable(driver) && (await driver.linkTo(upload, path));
  if (!isLinked) await copyTo(driver, { upload, size }, path);
  await syncFolder(dirname(path));
}

async function copyTo(
  driver: StorageDriver,
  { upload, size }: { upload: StoredUpload; size: number },
  path: string,
): Promise<void> {
  const copy = `${path}.${upload.id}.part`;
  try {
    const target = createWriteStream(copy, { flags: 'w', mode: 0o600, flush: true });
    await pipeline(driver.read(upload, { start: 0, end: size }), target);
    // Not renamed: that would replace a file that is there.
    await link(copy, path);
  } finally {
    await rm(copy, { force: true });
  }
}
