import { Md5 } from './md5.js';
import { Sha256 } from './sha256.js';
import type { ChecksumAlgorithm } from './upload-state.js';

/** In memory at a time; on the main thread, this is also how long a page waits. */
const SLICE_BYTES = 2 * 1024 * 1024;

/** Hashes a file slice by slice. Returns hex. Rejects as the browser does when the file cannot be read. */
export async function hashFile(file: Blob, algorithm: ChecksumAlgorithm): Promise<string> {
  const hash = algorithm === 'md5' ? new Md5() : new Sha256();
  for (let start = 0; start < file.size; start += SLICE_BYTES) {
    hash.update(new Uint8Array(await file.slice(start, start + SLICE_BYTES).arrayBuffer()));
  }
  return hash.digest();
}
