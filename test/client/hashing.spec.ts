import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { hashFile } from '../../src/client/hash-file.js';
import { Md5 } from '../../src/client/md5.js';
import { Sha256 } from '../../src/client/sha256.js';
import { bytesOf } from './support/agent.js';

const HASHES = [
  ['md5', Md5],
  ['sha256', Sha256],
] as const;

describe.each(HASHES)('Our own %s', (algorithm, Hash) => {
  const expected = (bytes: Uint8Array) => createHash(algorithm).update(bytes).digest('hex');

  it('is that of node:crypto, for every length around its blocks', () => {
    for (let length = 0; length <= 260; length++) {
      const bytes = bytesOf({ name: '', bytes: length });
      const hash = new Hash();
      hash.update(bytes);
      expect(hash.digest()).toBe(expected(bytes));
    }
  });

  it('is the same in whatever pieces the bytes come', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 20 }), (pieces) => {
        const hash = new Hash();
        for (const piece of pieces) hash.update(piece);
        expect(hash.digest()).toBe(expected(Buffer.concat(pieces)));
      }),
      { numRuns: 300 },
    );
  });

  it('is that of a file of several slices', async () => {
    const bytes = bytesOf({ name: '', bytes: 5 * 1024 * 1024 + 3 });
    expect(await hashFile(new Blob([bytes]), algorithm)).toBe(expected(bytes));
  });

  it('counts more than 2^32 bits', () => {
    const piece = new Uint8Array(64 * 1024 * 1024);
    const hash = new Hash();
    const other = createHash(algorithm);
    for (let count = 0; count < 9; count++) {
      hash.update(piece);
      other.update(piece);
    }
    expect(hash.digest()).toBe(other.digest('hex'));
  });
});
