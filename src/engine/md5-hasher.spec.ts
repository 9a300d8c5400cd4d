import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createMD5 } from 'hash-wasm';
import { createHash, randomBytes } from 'node:crypto';
import { Md5Hasher } from './md5-hasher.js';

const MEBIBYTE = 1024 * 1024;

function md5(...pieces: readonly Uint8Array[]): string {
  const hash = createHash('md5');
  for (const piece of pieces) hash.update(piece);
  return hash.digest('hex');
}

describe('Md5Hasher', () => {
  it('hashes what RFC 1321 hashes (appendix A.5)', () => {
    const hasher = new Md5Hasher();
    const digests = ['', 'abc', 'message digest'].map((text) => {
      hasher.init().update(Buffer.from(text));
      return hasher.digest();
    });
    expect(digests).toEqual([
      'd41d8cd98f00b204e9800998ecf8427e',
      '900150983cd24fb0d6963f7d28e17f72',
      'f96b697d7cb7938d525a2f31aaf161d0',
    ]);
  });

  it("gives Node's digest of any pieces, saved and loaded into another hasher behind each", () => {
    const hashers = [new Md5Hasher(), new Md5Hasher()] as const;
    const piece = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.uint8Array({ minLength: 60, maxLength: 68 }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        let state = hashers[0].init().save();
        pieces.forEach((bytes, i) => {
          const hasher = hashers[(i % 2) as 0 | 1];
          hasher.load(state);
          hasher.update(bytes);
          state = hasher.save();
        });
        hashers[0].load(state);
        expect(hashers[0].digest()).toBe(md5(...pieces));
      }),
    );
  });

  it('takes pieces larger than its memory, wherever they begin in a block', () => {
    const hasher = new Md5Hasher();
    const bytes = randomBytes(MEBIBYTE / 2);
    for (const before of [0, 1, 55, 56, 63, 64]) {
      for (const length of [65_535, 65_536, 131_007, 131_008, 131_009, bytes.length]) {
        const pieces = [bytes.subarray(0, before), bytes.subarray(7, 7 + length)];
        hasher.init();
        for (const piece of pieces) hasher.update(piece);
        expect(hasher.digest()).toBe(md5(...pieces));
      }
    }
  });

  it('counts bits beyond 32 of them', () => {
    const pieces = Array<Buffer>(520).fill(randomBytes(MEBIBYTE));
    const hasher = new Md5Hasher().init();
    for (const piece of pieces) hasher.update(piece);
    expect(hasher.digest()).toBe(md5(...pieces));
  });

  it('loads no state that is cut off, too long, or of another make', async () => {
    const hasher = new Md5Hasher().init();
    hasher.update(randomBytes(100));
    const state = hasher.save();
    const altered = Buffer.from(state).fill(0, 3, 4);
    const ofAnotherLibrary = (await createMD5()).init().save();
    for (const wrong of [
      state.subarray(1),
      Buffer.concat([state, Buffer.alloc(1)]),
      altered,
      ofAnotherLibrary,
    ])
      expect(() => hasher.load(wrong)).toThrow('no saved state');
    for (let length = 0; length < state.length; length++)
      expect(() => hasher.load(state.subarray(0, length))).toThrow('no saved state');
  });
});
