import { describe, expect, it } from '@jest/globals';
import { createHash, randomBytes } from 'node:crypto';
import { CHECKSUM_ALGORITHMS, type ChecksumAlgorithm } from './checksum-algorithm.js';
import { RunningDigest } from './running-digest.js';

/** Of the ASCII digits 1 to 9, as the specifications (or their reference implementations) have it. */
const OF_DIGITS: Partial<Record<ChecksumAlgorithm, string>> = {
  crc32: 'cbf43926',
  crc32c: 'e3069283',
  xxhash64: '8cb841db40e6ae83',
};

async function digestOf(algorithms: readonly ChecksumAlgorithm[], ...parts: Buffer[]) {
  const digest = await RunningDigest.start(algorithms);
  digest.update(parts);
  const checksums = digest.finish();
  digest.release();
  return checksums;
}

describe('RunningDigest', () => {
  const bytes = randomBytes(100_000);

  it('gives the checksums that others give', async () => {
    const names = ['md5', 'sha1', 'sha224', 'sha256', 'sha384', 'sha512', 'sha3-256', 'sha3-512'] as const;
    const expected = names.map((name) => [name, createHash(name).update(bytes).digest('hex')]);
    expect(await digestOf(names, bytes)).toEqual(Object.fromEntries(expected));
    const blake = await digestOf(['blake2b', 'blake2s'], bytes);
    expect(blake).toEqual({
      blake2b: createHash('blake2b512').update(bytes).digest('hex'),
      blake2s: createHash('blake2s256').update(bytes).digest('hex'),
    });
    const digits = Buffer.from('123456789');
    expect(await digestOf(Object.keys(OF_DIGITS) as ChecksumAlgorithm[], digits)).toEqual(OF_DIGITS);
  });

  it.each(CHECKSUM_ALGORITHMS)('%s goes on from a saved state, wherever it was saved', async (algorithm) => {
    const whole = await digestOf([algorithm], bytes);
    let digest = await RunningDigest.start([algorithm]);
    let at = 0;
    for (const length of [0, 1, 62, 64, 65, 4095, 0, 50_000, bytes.length]) {
      digest.update([bytes.subarray(at, at + length)]);
      at = Math.min(bytes.length, at + length);
      const state = JSON.parse(JSON.stringify(digest.save())) as Record<string, string>;
      digest.release();
      // Somebody else uses the same hasher in between.
      await digestOf([algorithm], randomBytes(100));
      const resumed = await RunningDigest.resume(state);
      expect(resumed?.algorithms).toEqual([algorithm]);
      digest = resumed as RunningDigest;
    }
    expect(digest.finish()).toEqual(whole);
    expect(whole[algorithm]).toMatch(/^[0-9a-f]+$/);
    digest.release();
  });

  it('several at once do not mix', async () => {
    const [one, two] = [await RunningDigest.start(['md5']), await RunningDigest.start(['md5'])];
    for (let at = 0; at < 1000; at += 10) {
      one.update([bytes.subarray(at, at + 10)]);
      two.update([bytes.subarray(at + 1000, at + 1010)]);
    }
    expect(one.finish()).toEqual(await digestOf(['md5'], bytes.subarray(0, 1000)));
    expect(two.finish()).toEqual(await digestOf(['md5'], bytes.subarray(1000, 2000)));
    one.release();
    two.release();
  });

  it('a state of another version of the library is none', async () => {
    const digest = await RunningDigest.start(['md5']);
    const { md5 = '' } = digest.save();
    digest.release();
    const foreign = Buffer.from(md5, 'base64');
    foreign[0] = (foreign[0] ?? 0) ^ 0xff;
    expect(await RunningDigest.resume({ md5: foreign.toString('base64') })).toBeNull();
    expect(await RunningDigest.resume({ md5: '' })).toBeNull();
    expect(await RunningDigest.resume({ md5: md5.slice(0, 20) })).toBeNull();
  });

  it('of no algorithm there is no checksum, and no state', async () => {
    const digest = await RunningDigest.start([]);
    digest.update([bytes]);
    expect([digest.save(), digest.finish()]).toEqual([{}, {}]);
    expect((await RunningDigest.resume({}))?.algorithms).toEqual([]);
  });
});
