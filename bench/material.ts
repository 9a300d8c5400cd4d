import { createHash, randomBytes } from 'node:crypto';
import { type Material, MIB } from './experiment.js';
import { slices } from './http-client.js';

/** Random bytes, so that nothing below compresses or merges them, and the checksums of files made of them. */
export function makeMaterial(): Material {
  const pattern = { bytes: randomBytes(MIB) };
  const known = new Map<string, string>();
  return {
    pattern,
    checksum(algorithm, sizeBytes) {
      const key = `${algorithm} ${sizeBytes}`;
      const checksum = known.get(key) ?? digest(algorithm, slices(pattern, 0, sizeBytes));
      known.set(key, checksum);
      return checksum;
    },
  };
}

function digest(algorithm: string, pieces: Iterable<Buffer>): string {
  const hash = createHash(algorithm);
  for (const piece of pieces) hash.update(piece);
  return hash.digest('hex');
}
