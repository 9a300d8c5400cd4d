import { UploadError } from '../errors/upload-error.js';
import { CHECKSUM_ALGORITHMS, type ChecksumAlgorithm, type Checksums } from './checksum-algorithm.js';

type Given = ReadonlyMap<string, unknown>;

/**
 * Refuses a request without a checksum that could be compared.
 * @param algorithms those that are computed; when there are none, none is asked for and none is looked at, as in the
 *   Django apps with their check turned off.
 * @throws UploadError `checksum_missing`, `checksum_unknown`.
 */
export function requireChecksum(given: Given, algorithms: readonly string[]): void {
  if (algorithms.length === 0) return;
  const named = namedIn(given);
  const unknown = named.find((algorithm) => !algorithms.includes(algorithm));
  if (unknown) {
    const message = `No ${unknown} checksum was computed; computed are: ${algorithms.join(', ')}.`;
    throw new UploadError('checksum_unknown', message, { algorithms });
  }
  if (named.length > 0) return;
  throw new UploadError(
    'checksum_missing',
    `Send the checksum of the file: { "${algorithms[0]}": "<hex>" }.`,
    {
      algorithms,
    },
  );
}

/**
 * Compares the checksums a client sent with the computed ones. Any that was computed will do, several must all agree;
 * hex digits in either case.
 * @throws UploadError `checksum_missing`, `checksum_unknown`, `checksum_malformed`, `checksum_mismatch`.
 */
export function compareChecksums(given: Given, computed: Checksums): void {
  const algorithms = Object.keys(computed);
  requireChecksum(given, algorithms);
  for (const algorithm of namedIn(given).filter((name) => name in computed)) {
    const expected = computed[algorithm] ?? '';
    const value = given.get(algorithm);
    if (typeof value !== 'string' || value.length !== expected.length || !/^[0-9a-fA-F]+$/.test(value)) {
      const message = `${algorithm} must be a string of ${expected.length} hex digits.`;
      throw new UploadError('checksum_malformed', message, { algorithms });
    }
    if (value.toLowerCase() === expected) continue;
    const message = `The ${algorithm} checksum is not that of the bytes received.`;
    throw new UploadError('checksum_mismatch', message, { algorithms });
  }
}

function namedIn(given: Given): ChecksumAlgorithm[] {
  return CHECKSUM_ALGORITHMS.filter((algorithm) => given.has(algorithm));
}
