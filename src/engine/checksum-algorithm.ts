/** Checksum algorithms that can be computed while receiving: each can save its state between chunks. */
export const CHECKSUM_ALGORITHMS = [
  'md5',
  'sha1',
  'sha224',
  'sha256',
  'sha384',
  'sha512',
  'sha3-256',
  'sha3-512',
  'blake2b',
  'blake2s',
  'blake3',
  'crc32',
  'crc32c',
  'xxhash64',
  'xxhash128',
] as const;

/** Name of a checksum algorithm, as it stands in options, in request bodies and in `checksums`. */
export type ChecksumAlgorithm = (typeof CHECKSUM_ALGORITHMS)[number];

export type Checksums = Readonly<Partial<Record<ChecksumAlgorithm, string>>>;
