import { hashFile } from './hash-file.js';
import type { ChecksumAlgorithm } from './upload-state.js';

/** What the page asks for. */
export interface HashQuestion {
  readonly file: Blob;
  readonly algorithm: ChecksumAlgorithm;
}

/** The hash in hex, or why there is none. */
export type HashAnswer = { readonly hex: string } | { readonly failure: string };

onmessage = ({ data: { file, algorithm } }: MessageEvent<HashQuestion>) => {
  void hashFile(file, algorithm)
    .then(
      (hex): HashAnswer => ({ hex }),
      (error: unknown): HashAnswer => ({ failure: String(error) }),
    )
    .then((answer) => postMessage(answer));
};
