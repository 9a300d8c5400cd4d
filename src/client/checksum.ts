import { ChunkedUploadError } from './chunked-upload-error.js';
import type { OpenSource, Piece } from './platform.js';
import { orAbort } from './sleep.js';
import type { ChecksumAlgorithm, UploadResult } from './upload-state.js';

/** The checksum of the whole file, computed beside the upload as soon as it is known which one. */
export class Checksum {
  #algorithm: ChecksumAlgorithm | null = null;
  #digest: (() => Promise<string>) | null = null;

  constructor(
    private readonly source: Pick<OpenSource<Piece>, 'hash'>,
    private readonly wanted: 'auto' | ChecksumAlgorithm | false,
    private readonly signal: AbortSignal,
  ) {
    if (isKnown(wanted)) this.#start(wanted);
  }

  /**
   * The server says which ones it can compare, best first; null when it does not say. Returns whether one will be given.
   * @throws ChunkedUploadError `checksum_unsupported` when none of them can be given.
   */
  offer(algorithms: readonly string[] | null): boolean {
    if (algorithms && this.wanted && !algorithms.includes(this.#algorithm ?? '')) {
      const usable = this.wanted === 'auto' && algorithms.find(isKnown);
      if (!usable) {
        throw new ChunkedUploadError('checksum_unsupported', `The server wants ${algorithms.join(' or ')}.`);
      }
      this.#start(usable);
    }
    return this.#algorithm !== null;
  }

  /** Waits for it; null when nobody wants one. Rejects with the signal's reason. */
  async value(signal: AbortSignal): Promise<UploadResult['checksum']> {
    if (this.#digest === null || this.#algorithm === null) return null;
    return { algorithm: this.#algorithm, hex: await orAbort(this.#digest(), signal) };
  }

  #start(algorithm: ChecksumAlgorithm): void {
    this.#algorithm = algorithm;
    this.#digest = this.source.hash(algorithm, this.signal);
  }
}

function isKnown(algorithm: unknown): algorithm is ChecksumAlgorithm {
  return algorithm === 'md5' || algorithm === 'sha256';
}
