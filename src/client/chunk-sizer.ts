import type { ChunkedUploadOptions } from './client-options.js';

const MIB = 1024 * 1024;
const DEFAULT_LIMITS = { min: MIB, max: 64 * MIB };
const FIRST_BYTES = 5 * MIB;
/** Long enough that the round trip does not count, short enough that little is lost and pausing is felt. */
const WANTED_MS = 4000;
/** Below this no server's limit is taken seriously. */
const LEAST_BYTES = 1024;

/** How large the next chunk is: as much as the line carries in some seconds. */
export class ChunkSizer {
  /** Bytes of the next chunk. */
  bytes: number;
  /** The least, for the chunk that creates: a break loses all of it. */
  min: number;
  #max: number;

  /** @throws RangeError for limits that are none. */
  constructor(option: ChunkedUploadOptions['chunkBytes'] = DEFAULT_LIMITS) {
    const { min, max } = typeof option === 'number' ? { min: option, max: option } : option;
    if (!(min >= 1 && max >= min)) throw new RangeError('chunkBytes');
    this.min = min;
    this.#max = max;
    this.bytes = this.#within(FIRST_BYTES);
  }

  /** A chunk arrived: the next one follows the rate, and at most doubles. */
  arrived(bytes: number, ms: number): void {
    const wanted = (bytes / Math.max(ms, 1)) * WANTED_MS;
    // The last chunk is short, and says less about the line.
    if (bytes >= this.bytes || wanted < this.bytes)
      this.bytes = this.#within(Math.min(wanted, this.bytes * 2));
  }

  /** A chunk broke off. */
  broke(): void {
    this.bytes = this.#within(this.bytes / 2);
  }

  /**
   * The server takes at most so many bytes, or fewer than `sent` where it does not say how many.
   * @returns false when chunks cannot become smaller.
   */
  limit(limitBytes: number | undefined, sent: number): boolean {
    const max = limitBytes ?? Math.floor(sent / 2);
    if (max >= sent || max < LEAST_BYTES) return false;
    this.#max = max;
    this.min = Math.min(this.min, max);
    this.bytes = this.#within(this.bytes);
    return true;
  }

  #within(bytes: number): number {
    return Math.floor(Math.min(this.#max, Math.max(this.min, bytes)));
  }
}
