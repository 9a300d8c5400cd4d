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
    if (wanted === 'md5' || wanted === 'sha256') this.#start(wanted);
  }

  /**
   * The server says which ones it can compare, best first; null when it does not say. Returns whether one will be given.
   * @throws ChunkedUploadError `checksum_unsupported` when none of them can be given.
   */
  offer(algorithms: readonly string[] | null): boolean {
    if (this.wanted === false) return false;
    if (algorithms === null || (this.#algorithm !== null && algorithms.includes(this.#algorithm))) {
      return this.#algorithm !== null;
    }
    const usable = this.wanted === 'auto' ? algorithms.find(isKnown) : undefined;
    if (usable) {
      this.#start(usable);
      return true;
    }
    const message = `None of the wanted checksums (${algorithms.join(', ')}) can be given.`;
    throw new ChunkedUploadError('checksum_unsupported', message);
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

function isKnown(algorithm: string): algorithm is ChecksumAlgorithm {
  return algorithm === 'md5' || algorithm === 'sha256';
}
