import { BlockHash } from './block-hash.js';

const SHIFTS = [7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21];
const SINES = Int32Array.from({ length: 64 }, (_, index) =>
  Math.floor(Math.abs(Math.sin(index + 1)) * 2 ** 32),
);

/** MD5 (RFC 1321), in pieces. */
export class Md5 extends BlockHash {
  constructor() {
    super([0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476], true);
  }

  protected override compress(words: Int32Array): void {
    let [a = 0, b = 0, c = 0, d = 0] = this.state;
    for (let index = 0; index < 64; index++) {
      const round = index >> 4;
      let mixed = (b & c) | (~b & d);
      let from = index;
      if (round === 1) {
        mixed = (d & b) | (~d & c);
        from = 5 * index + 1;
      } else if (round === 2) {
        mixed = b ^ c ^ d;
        from = 3 * index + 5;
      } else if (round === 3) {
        mixed = c ^ (b | ~d);
        from = 7 * index;
      }
      const sum = (a + mixed + (SINES[index] as number) + (words[from & 15] as number)) | 0;
      const shift = SHIFTS[(round << 2) | (index & 3)] as number;
      a = d;
      d = c;
      c = b;
      b = (b + ((sum << shift) | (sum >>> (32 - shift)))) | 0;
    }
    this.add([a, b, c, d]);
  }
}
