import { toUSVString } from 'node:util';
import { create, decodeExtended, parse } from 'content-disposition';
import { excerpt } from '../../errors/excerpt.js';
import { UploadError } from '../../errors/upload-error.js';

/** Room for a name of 255 bytes, percent-encoded, twice, and for long paths around it. */
const MAX_HEADER_LENGTH = 8192;

/**
 * What {@link parse} can be trusted with: it reads anything, and drops an unterminated quote or a missing type without
 * a word. Unquoted values may hold spaces, as people type them.
 */
const WELL_FORMED = /^[!#$%&'*+.^_`|~\w-]+[ \t]*(?:;(?:[^=";]+=[ \t]*"(?:[^"\\]|\\[^])*"[ \t]*|[^";]*))*$/;

/** The same for a part of a form, where a backslash is a character like any other. */
const WELL_FORMED_PART = /^form-data[ \t]*(?:;(?:[^=";]+=[ \t]*"[^"]*"[ \t]*|[^";]*))*$/i;

/** A quote escaped by a backslash, as Go and old curl do in a form; a last backslash belongs to the name. */
const ESCAPED_QUOTE = /\\"(?![ \t]*(?:;|$))/g;

const UTF_8 = new TextDecoder('utf-8', { fatal: true });

/** What a part of a form says of itself. */
export interface PartDisposition {
  readonly name: string;
  /** Undefined for a text field. */
  readonly filename: string | undefined;
}

/**
 * The file name in a request's `Content-Disposition` (RFC 6266), which sends the name of a raw body.
 *
 * `filename*` (RFC 8187) wins over `filename`. A plain name may be raw UTF-8, which Node hands over as latin1, or
 * the output of `encodeURI`, which jQuery-File-Upload sends; both are decoded.
 *
 * @returns The name as the client meant it, still to pass `toFilename`; undefined when the header names none.
 * @throws UploadError `filename_invalid` when the header cannot be read.
 */
export function requestFilename(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  if (header.length > MAX_HEADER_LENGTH || !WELL_FORMED.test(header)) throw unreadable(header);
  const { parameters } = parse(header, { extended: false });
  const { filename, 'filename*': extended } = parameters;
  const decoded = extended === undefined ? undefined : decodeExtended(extended);
  if (extended !== undefined && decoded === undefined && filename === undefined) throw unreadable(header);
  return (decoded ?? fromUri(recoverUtf8(filename ?? ''))) || undefined;
}

/**
 * The `Content-Disposition` of one part of a `multipart/form-data` body (RFC 7578 section 4.2), as the WHATWG
 * encoding writes it: raw UTF-8, with `%22`, `%0D` and `%0A` for what cannot stand in quotes.
 *
 * @param header The header, its bytes as latin1.
 * @returns Name and file name, or null when this is no part of a form.
 */
export function partDisposition(header: string): PartDisposition | null {
  const unescaped = header.replace(ESCAPED_QUOTE, '%22');
  if (!WELL_FORMED_PART.test(unescaped)) return null;
  const {
    name,
    filename,
    'filename*': extended,
  } = parse(unescaped, { multipart: true, extended: false }).parameters;
  if (name === undefined) return null;
  const decoded = extended === undefined ? undefined : decodeExtended(extended);
  return {
    name: recoverUtf8(name),
    filename: decoded ?? (filename === undefined ? filename : recoverUtf8(filename)),
  };
}

/**
 * The `Content-Disposition` of a download (RFC 6266): always `attachment`, with an ASCII name for old clients and
 * the exact one as `filename*` where they differ. No name breaks out of the header or makes this throw.
 */
export function attachment(filename: string): string {
  const name = toUSVString(filename).replace(/\p{Cc}/gu, '_');
  // Quotes, backslashes and percent signs are read differently by different clients, escaped or not.
  return create(name, { fallback: name.replace(/[^\x20-\x7e]|["\\%]/gu, '_') });
}

/** Header bytes that Node gave as latin1, read as UTF-8 where they are that; a lone é sent as latin1 stays one. */
function recoverUtf8(value: string): string {
  if (!/[\x80-\xff]/.test(value) || /[\u{100}-\u{10ffff}]/u.test(value)) return value;
  try {
    return UTF_8.decode(Buffer.from(value, 'latin1'));
  } catch {
    return value;
  }
}

/** Undoes `encodeURI` where it was applied; a name that merely holds a percent sign is left alone. */
function fromUri(name: string): string {
  try {
    const decoded = decodeURIComponent(name);
    return encodeURI(decoded) === name ? decoded : name;
  } catch {
    return name;
  }
}

function unreadable(header: string): UploadError {
  return new UploadError(
    'filename_invalid',
    `Content-Disposition ${excerpt(header)} cannot be read. Send 'attachment; filename="report.pdf"', or ` +
      '"attachment; filename*=UTF-8\'\'r%C3%A9sum%C3%A9.pdf" for a name beyond ASCII.',
  );
}
