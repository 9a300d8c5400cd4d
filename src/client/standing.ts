import { objectIn } from './json-body.js';
import type { HttpAnswer } from './platform.js';

/** Where the upload stands, as every answer about it says. */
export interface Standing {
  readonly offset: number;
  readonly size: number | null;
  /** Checksums of the client's that a completion may give; null when the answer does not say. */
  readonly algorithms: readonly string[] | null;
}

/** `Want-Repr-Digest` (RFC 9530, section 4): `md5=10, sha-256=5`; with 0 it is not wanted. */
const WANTED = /(md5|sha-256)(?==[1-9])/g;

/** Reads the headers, as an app may change what the body says; the body, where a page may not see the headers. */
export function standingIn(answer: HttpAnswer): Standing {
  const body = objectIn(answer.text);
  const size = answer.header('Upload-Length') ?? body.size;
  const wanted = answer.header('Want-Repr-Digest')?.match(WANTED);
  return {
    offset: Number(answer.header('Upload-Offset') ?? body.offset),
    size: size == null ? null : Number(size),
    algorithms: wanted?.map((name) => name.replace('-', '')) ?? null,
  };
}
