import {
  createBLAKE2b,
  createBLAKE2s,
  createBLAKE3,
  createCRC32,
  createSHA1,
  createSHA224,
  createSHA256,
  createSHA3,
  createSHA384,
  createSHA512,
  createXXHash128,
  createXXHash64,
} from 'hash-wasm';
import type { ChecksumAlgorithm } from './checksum-algorithm.js';
import type { Hasher } from './hasher.js';
import { Md5Hasher } from './md5-hasher.js';

/** The Castagnoli polynomial, reflected (RFC 3720, appendix B.4). */
const CRC32C_POLYNOMIAL = 0x82f63b78;

/** One maker per algorithm. All are WebAssembly, since node:crypto cannot save the state of a hash between two requests. */
const MAKERS: Readonly<Record<ChecksumAlgorithm, () => Promise<Hasher>>> = {
  md5: () => Promise.resolve(new Md5Hasher()),
  sha1: createSHA1,
  sha224: createSHA224,
  sha256: createSHA256,
  sha384: createSHA384,
  sha512: createSHA512,
  'sha3-256': () => createSHA3(256),
  'sha3-512': () => createSHA3(512),
  blake2b: () => createBLAKE2b(512),
  blake2s: () => createBLAKE2s(256),
  blake3: () => createBLAKE3(256),
  crc32: () => createCRC32(),
  crc32c: () => createCRC32(CRC32C_POLYNOMIAL),
  xxhash64: () => createXXHash64(),
  xxhash128: () => createXXHash128(),
};

const idle = new Map<ChecksumAlgorithm, Hasher[]>();

/** Takes a hasher out of the pool: each has a WebAssembly memory of its own, too dear to make one per chunk. */
export async function takeHasher(algorithm: ChecksumAlgorithm): Promise<Hasher> {
  return idle.get(algorithm)?.pop() ?? MAKERS[algorithm]();
}

/** Puts a hasher back; its state is worth nothing any more. */
export function returnHasher(algorithm: ChecksumAlgorithm, hasher: Hasher): void {
  const hashers = idle.get(algorithm);
  if (hashers) hashers.push(hasher);
  else idle.set(algorithm, [hasher]);
}
