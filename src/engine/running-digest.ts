import type { ChecksumAlgorithm, Checksums } from './checksum-algorithm.js';
import type { Hasher } from './hasher.js';
import { returnHasher, takeHasher } from './hasher-pool.js';

/** Saved states by algorithm, base64: what the row keeps with the offset. */
export type DigestState = Record<string, string>;

/**
 * The checksums of an upload's bytes so far. The state is saved with the offset after every chunk, so that completing
 * never reads the file again, on any instance, after any restart.
 */
export class RunningDigest {
  private constructor(private readonly hashers: ReadonlyMap<ChecksumAlgorithm, Hasher>) {}

  /** Starts at byte 0. */
  static async start(algorithms: readonly ChecksumAlgorithm[]): Promise<RunningDigest> {
    const hashers = await Promise.all(algorithms.map(takeHasher));
    return new RunningDigest(
      new Map(algorithms.map((algorithm, i) => [algorithm, (hashers[i] as Hasher).init()])),
    );
  }

  /** Goes on from a saved state; null when another version of a hash's program saved it. */
  static async resume(state: DigestState): Promise<RunningDigest | null> {
    const digest = await RunningDigest.start(Object.keys(state) as ChecksumAlgorithm[]);
    try {
      for (const [algorithm, hasher] of digest.hashers)
        hasher.load(Buffer.from(state[algorithm] ?? '', 'base64'));
      return digest;
    } catch {
      digest.release();
      return null;
    }
  }

  get algorithms(): readonly ChecksumAlgorithm[] {
    return [...this.hashers.keys()];
  }

  update(buffers: readonly Buffer[]): void {
    for (const hasher of this.hashers.values()) {
      for (const buffer of buffers) hasher.update(buffer);
    }
  }

  save(): DigestState {
    const state: DigestState = {};
    for (const [algorithm, hasher] of this.hashers)
      state[algorithm] = Buffer.from(hasher.save()).toString('base64');
    return state;
  }

  /** The checksums, in lower-case hex. The digest can only be released afterwards. */
  finish(): Checksums {
    return Object.fromEntries([...this.hashers].map(([algorithm, hasher]) => [algorithm, hasher.digest()]));
  }

  /** Gives the hashers back. Call once, last. */
  release(): void {
    for (const [algorithm, hasher] of this.hashers) returnHasher(algorithm, hasher);
  }
}
