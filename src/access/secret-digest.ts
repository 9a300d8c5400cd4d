import { createHash } from 'node:crypto';

/** SHA-256 of a secret: secrets are compared by digests, which have one length, in constant time. */
export function secretDigest(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}
