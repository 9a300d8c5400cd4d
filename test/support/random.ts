import { createCipheriv, createHash } from 'node:crypto';

/** Random numbers that a seed repeats (mulberry32). */
export class Random {
  private state: number;

  constructor(readonly seed: number) {
    this.state = seed >>> 0;
  }

  /** In `[0, 1)`. */
  fraction(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let value = this.state;
    value = Math.imul(value ^ (value >>> 15), value | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return ((value ^ (value >>> 14)) >>> 0) / 0x1_0000_0000;
  }

  /** A whole number in `[from, to]`. */
  between(from: number, to: number): number {
    return from + Math.floor(this.fraction() * (to - from + 1));
  }

  /** A whole number in `[from, to]`, small ones as often as large ones. */
  magnitude(from: number, to: number): number {
    return Math.floor(from * (to / from) ** this.fraction());
  }

  chance(probability: number): boolean {
    return this.fraction() < probability;
  }

  /** A whole number from 0 up to, not including, `limit`. */
  below(limit: number): number {
    return Math.floor(this.fraction() * limit);
  }

  bytes(count: number): Buffer {
    return Buffer.from(Array.from({ length: count }, () => this.below(256)));
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[this.between(0, items.length - 1)] as Item;
  }

  /** A generator of its own, so that what one part of a run draws does not depend on the timing of another. */
  split(): Random {
    return new Random(this.between(0, 0xffff_ffff));
  }
}

/** Bytes that a seed repeats, different at every place: a byte that went astray is one that is wrong. */
export function contentOf(seed: number, length: number): Buffer {
  const key = createHash('sha256').update(`content ${seed}`).digest();
  return createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(length));
}

/**
 * The seed of this run: the same in every run, so that one that is red is red for what was changed.
 * `SEED=` takes another, `SEED=random` one that was perhaps never run. Printed, so that a failure can be repeated.
 */
export function seedOfRun(): number {
  const { SEED = '20261121' } = process.env;
  const seed = SEED === 'random' ? Math.floor(Math.random() * 2 ** 31) : Number(SEED);
  process.stdout.write(`SEED=${seed}\n`);
  return seed;
}
