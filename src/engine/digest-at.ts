import type { AbstractChunkedUpload } from '../persistence/abstract-chunked-upload.entity.js';
import type { StorageDriver } from '../storage/storage-driver.interface.js';
import type { ChecksumAlgorithm } from './checksum-algorithm.js';
import { storedUpload } from './engine-context.js';
import { RunningDigest } from './running-digest.js';

/**
 * The running digest of an upload at its offset, from the saved state. Only when another version of a hash's program
 * saved that state, after an upgrade in the middle of an upload, are the bytes read again, once.
 */
export async function digestAt(driver: StorageDriver, upload: AbstractChunkedUpload): Promise<RunningDigest> {
  const state = upload.digestState ?? {};
  const algorithms = Object.keys(state) as ChecksumAlgorithm[];
  if (upload.offset === 0) return RunningDigest.start(algorithms);
  const resumed = await RunningDigest.resume(state);
  if (resumed) return resumed;
  const digest = await RunningDigest.start(algorithms);
  try {
    const bytes = driver.read(storedUpload(upload), { start: 0, end: upload.offset });
    for await (const piece of bytes) digest.update([piece as Buffer]);
    return digest;
  } catch (error) {
    digest.release();
    throw error;
  }
}
