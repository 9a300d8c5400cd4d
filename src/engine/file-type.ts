import { fileTypeFromBuffer, supportedMimeTypes } from 'file-type';
import { lookup } from 'mime-types';
import { UploadError } from '../errors/upload-error.js';

/** Bytes at the start of a file that its type is recognised by. */
export const SNIFF_BYTES = 4100;

const UNKNOWN = 'application/octet-stream';
/** Say nothing about a file: the second is what curl calls any body. */
const GENERIC: ReadonlySet<string> = new Set([UNKNOWN, 'application/x-www-form-urlencoded']);
const RECOGNISABLE: ReadonlySet<string> = supportedMimeTypes;

/** Formats that others are built on: the first bytes may show only the container of such a declared type. */
const BUILT_ON: Readonly<Record<string, RegExp>> = {
  'application/zip': /^application\/(vnd\.|epub\+zip|java-archive)/,
  'application/x-cfb': /^application\/(vnd\.|msword|x-msi)/,
  'application/xml': /^text\/xml$|\+xml$/,
  'application/ogg': /^(audio|video)\/ogg/,
};

/** Recognised by two letters, which a text may begin with; in files of these formats zeros follow soon. */
const TWO_LETTERS: ReadonlySet<string> = new Set(['image/bmp', 'application/x-msdownload']);

/** The declared media type, or where that says nothing the one the file name's extension stands for. */
export function mediaTypeOf(declared: string | null, filename: string): string {
  return declared && !GENERIC.has(declared) ? declared : lookup(filename) || UNKNOWN;
}

/** Whether `type` is in `allowed`, which may hold ranges such as `image/*`. */
export function isTypeAllowed(type: string, allowed: readonly string[]): boolean {
  const range = `${type.slice(0, type.indexOf('/'))}/*`;
  return allowed.some((pattern) => pattern === type || pattern === range || pattern === '*/*');
}

/** The start of a file, as far as it is there. */
export interface FirstBytes {
  readonly bytes: Uint8Array;
  /** Whether these are all that a type is recognised by: the whole file, or {@link SNIFF_BYTES} of it. */
  readonly isAll: boolean;
}

/**
 * Refuses a file whose first bytes show a type that is not allowed, or do not show the declared type although that one
 * always does (a script sent as `image/png`). Types without a signature, such as text, are taken as declared.
 * @throws UploadError `type_not_allowed`.
 */
export async function admitFirstBytes(
  { bytes, isAll }: FirstBytes,
  declared: string,
  allowed: readonly string[] | null,
): Promise<void> {
  if (!allowed) return;
  // A format that is only half there can make a parser fail; that is "not recognised".
  const found = (await fileTypeFromBuffer(bytes).catch(() => undefined))?.mime.split(';')[0];
  if (found === undefined) {
    if (isAll && RECOGNISABLE.has(declared)) throw notShown(declared);
    return;
  }
  if (isTypeAllowed(found, allowed) || BUILT_ON[found]?.test(declared)) return;
  if (TWO_LETTERS.has(found) && !RECOGNISABLE.has(declared) && isText(bytes)) return;
  throw new UploadError('type_not_allowed', `The content is ${found}, which is not allowed.`);
}

/** Without control characters but tabs, line ends, form feeds and escapes. */
function isText(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte >= 0x20 || (byte >= 0x09 && byte <= 0x0d) || byte === 0x1b);
}

function notShown(declared: string): UploadError {
  return new UploadError('type_not_allowed', `The content is not what its media type ${declared} says.`);
}
