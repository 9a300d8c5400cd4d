import { BlockHash } from './block-hash.js';

/** The first 32 bits behind the point of a root of each of the first primes. */
function fractions(count: number, root: number): number[] {
  const found: number[] = [];
  for (let number = 2; found.length < count; number++) {
    let divisor = 2;
    while (number % divisor) divisor++;
    if (divisor === number) found.push((number ** (1 / root) * 2 ** 32) | 0);
  }
  return found;
}

const ROUNDS = Int32Array.from(fractions(64, 3));
const INITIAL = fractions(8, 2);

const rotate = (word: number, bits: number): number => (word >>> bits) | (word << (32 - bits));

/** SHA-256 (FIPS 180-4), in pieces. */
export class Sha256 extends BlockHash {
  readonly #schedule = new Int32Array(64);

  constructor() {
    super(INITIAL, false);
  }

  protected override compress(words: Int32Array): void {
    const w = this.#schedule;
    w.set(words);
    for (let t = 16; t < 64; t++) {
      const late = w[t - 2] as number;
      const early = w[t - 15] as number;
      const mixedLate = rotate(late, 17) ^ rotate(late, 19) ^ (late >>> 10);
      const mixedEarly = rotate(early, 7) ^ rotate(early, 18) ^ (early >>> 3);
      w[t] = (mixedLate + (w[t - 7] as number) + mixedEarly + (w[t - 16] as number)) | 0;
    }
    let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = this.state;
    for (let t = 0; t < 64; t++) {
      const sumE = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
      const first = (h + sumE + ((e & f) ^ (~e & g)) + (ROUNDS[t] as number) + (w[t] as number)) | 0;
      const sumA = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
      const second = (sumA + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g;
      g = f;
      f = e;
      e = (d + first) | 0;
      d = c;
      c = b;
      b = a;
      a = (first + second) | 0;
    }
    this.add([a, b, c, d, e, f, g, h]);
  }
}
