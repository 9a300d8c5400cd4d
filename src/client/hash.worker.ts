import { hashFile } from './hash-file.js';
import type { ChecksumAlgorithm } from './upload-state.js';

/** What the page asks for. It gets the hash in hex, or null when the file cannot be read. */
export interface HashQuestion {
  readonly file: Blob;
  readonly algorithm: ChecksumAlgorithm;
}

onmessage = ({ data: { file, algorithm } }: MessageEvent<HashQuestion>) => {
  void hashFile(file, algorithm)
    .catch(() => null)
    .then((hex) => postMessage(hex));
};
