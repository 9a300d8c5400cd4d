import { excerpt } from '../../errors/excerpt.js';
import { UploadError } from '../../errors/upload-error.js';

/** `type/subtype` with the lengths of RFC 6838 section 4.2; the token of RFC 9110 section 5.6.2 without `*`. */
const MEDIA_TYPE = /^[!#$%&'+.^_`|~\w-]{1,127}\/[!#$%&'+.^_`|~\w-]{1,127}$/;

/** A longer one holds parameters nobody needs. */
const MAX_CONTENT_TYPE_LENGTH = 1024;

/**
 * One `; name=value` of a media type. The value may leave out the quotes where a token needs them: a boundary with a
 * slash or colon is often sent so.
 */
const PARAMETER = /;[ \t]*(?:([!#$%&'*+.^_`|~\w-]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s";]+))[ \t]*)?/y;

/** RFC 2046 section 5.1.1: at most 70 of these, the last not a space. */
const BOUNDARY = /^[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]$/;

/**
 * The media type of a `Content-Type` without parameters, in lower case: what is compared with a policy and stored.
 *
 * @returns `type/subtype`, or null where the value is missing, no media type (RFC 9110 section 8.3.1), or a range
 *   like `image/*`, which a policy would take for a pattern.
 */
export function normalizeMediaType(value: string | undefined): string | null {
  if (value === undefined) return null;
  const semicolon = value.indexOf(';');
  const essence = (semicolon === -1 ? value : value.slice(0, semicolon)).trim();
  return MEDIA_TYPE.test(essence) ? essence.toLowerCase() : null;
}

/**
 * The boundary of a `multipart/form-data` content type (RFC 7578 section 4.1, RFC 2046 section 5.1.1).
 *
 * The limits matter: parsers have stalled on boundaries of some 250 bytes (CVE-2026-19484), and two boundaries let
 * two readers of one message see different parts.
 *
 * @throws UploadError `malformed_request` for another content type, parameters that cannot be read, and a boundary
 *   that is missing, given twice, empty, longer than 70 characters or made of others than RFC 2046 allows.
 */
export function multipartBoundary(contentType: string | undefined): string {
  const given = contentType ?? '';
  if (given.length > MAX_CONTENT_TYPE_LENGTH || normalizeMediaType(given) !== 'multipart/form-data') {
    throw noBoundary(given, 'it is not multipart/form-data');
  }
  const boundaries = boundariesIn(given);
  const [boundary] = boundaries;
  if (boundary === undefined) throw noBoundary(given, 'it has no readable boundary');
  if (boundaries.length > 1) throw noBoundary(given, 'it has two boundaries');
  if (!BOUNDARY.test(boundary))
    throw noBoundary(given, 'its boundary is not 1 to 70 of the characters of RFC 2046');
  return boundary;
}

function boundariesIn(contentType: string): string[] {
  const found: string[] = [];
  PARAMETER.lastIndex = contentType.indexOf(';');
  while (PARAMETER.lastIndex >= 0 && PARAMETER.lastIndex < contentType.length) {
    const match = PARAMETER.exec(contentType);
    if (match === null) return [];
    const [, name, quoted, bare] = match;
    if (name?.toLowerCase() === 'boundary') found.push(bare ?? quoted?.replace(/\\(.)/g, '$1') ?? '');
  }
  return found;
}

function noBoundary(contentType: string, problem: string): UploadError {
  return new UploadError(
    'malformed_request',
    `The Content-Type ${excerpt(contentType)} cannot be used: ${problem}. Let the HTTP client set the header of a ` +
      'form itself, or send "multipart/form-data; boundary=<the one in the body>".',
  );
}

/**
 * Refuses a body that is compressed or otherwise coded (RFC 9110 section 8.4): offsets and checksums count the bytes
 * of the file, and inflating what a client sends is how a small request fills a disk.
 *
 * @param contentEncoding The `Content-Encoding` of the request.
 * @throws UploadError `encoding_not_supported` for any coding but `identity`.
 */
export function refuseEncodedBody(contentEncoding: string | undefined): void {
  const coding = contentEncoding?.trim().toLowerCase() ?? '';
  if (coding === '' || coding === 'identity') return;
  throw new UploadError(
    'encoding_not_supported',
    `A body with Content-Encoding ${excerpt(coding)} is not accepted. Send the bytes as they are, without that header.`,
  );
}
