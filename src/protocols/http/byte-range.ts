/** Beyond this length a `Range` can only ask for several ranges, which are not served. */
const MAX_RANGE_LENGTH = 64;

/** One int-range or suffix-range in bytes (RFC 9110 section 14.1.2). */
const SINGLE_RANGE = /^bytes=[ \t]*([0-9]*)-([0-9]*)[ \t]*$/i;

/** Entity tags of an `If-None-Match` list, their weakness left aside (RFC 9110 section 8.8.3). */
const OPAQUE_TAG = /"[\x21\x23-\x7e\x80-\xff]*"/g;

/** How much of a file to send. The end of a part is exclusive. */
export type ByteRange =
  | { readonly kind: 'whole' }
  | { readonly kind: 'part'; readonly start: number; readonly end: number }
  | { readonly kind: 'unsatisfiable' };

const WHOLE: ByteRange = { kind: 'whole' };
const UNSATISFIABLE: ByteRange = { kind: 'unsatisfiable' };

/**
 * What a `Range` header asks for (RFC 9110 section 14.2). A server may ignore it, and has to where it is malformed
 * or in another unit; several ranges are ignored too, as no client of large files needs multipart/byteranges.
 *
 * @param header The `Range` of the request.
 * @param size Size of the file in bytes.
 * @param validators `etag`: the file's strong entity tag, with its quotes. `ifRange`: the `If-Range` of the request;
 *   unless it is that very tag, the client's first part may be of another file and it gets the whole one
 *   (section 13.1.5).
 */
export function parseByteRange(
  header: string | undefined,
  size: number,
  { etag, ifRange }: { readonly etag: string; readonly ifRange: string | undefined },
): ByteRange {
  if (header === undefined || header.length > MAX_RANGE_LENGTH) return WHOLE;
  if (ifRange !== undefined && ifRange !== etag) return WHOLE;
  const [, first, last] = SINGLE_RANGE.exec(header) ?? [];
  if (first === undefined || last === undefined || (first === '' && last === '')) return WHOLE;
  return first === '' ? lastBytes(Number(last), size) : bytesFrom(Number(first), last, size);
}

function lastBytes(length: number, size: number): ByteRange {
  if (length === 0) return UNSATISFIABLE;
  // A suffix of nothing is satisfiable, but no Content-Range can be written for a part of no bytes.
  return size === 0 ? WHOLE : { kind: 'part', start: Math.max(0, size - length), end: size };
}

function bytesFrom(start: number, last: string, size: number): ByteRange {
  if (last !== '' && Number(last) < start) return WHOLE;
  if (start >= size) return UNSATISFIABLE;
  return { kind: 'part', start, end: last === '' ? size : Math.min(Number(last) + 1, size) };
}

/**
 * Whether an `If-None-Match` names this entity tag, so that the answer is 304 (RFC 9110 section 13.1.2): `*`, or a
 * list that has it, compared weakly.
 */
export function matchesEtag(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  if (ifNoneMatch.trim() === '*') return true;
  const tags: readonly string[] = ifNoneMatch.match(OPAQUE_TAG) ?? [];
  return tags.includes(etag.replace(/^W\//, ''));
}
