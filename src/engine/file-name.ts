import { extname } from 'node:path';
import { toUSVString } from 'node:util';
import { excerpt } from '../errors/excerpt.js';
import { UploadError } from '../errors/upload-error.js';

/** In UTF-16 units, path included. Nothing longer is looked at: normalising is not free. */
const MAX_RAW_LENGTH = 4096;

/** Controls (C0, DEL, C1), line separators, and all that turns the direction of text: `gpj.exe` shown as `exe.jpg`. */
const INVISIBLE = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;

/**
 * A client's file name, made fit to be shown and sent back. It is never a path: where bytes go is decided by the
 * server alone (ASVS 5.3.2). Applied to its own result it changes nothing.
 *
 * The part after the last `/` or `\` is kept, without controls, bidirectional marks and surrounding white space, in
 * Unicode NFC, with lone surrogates as U+FFFD. What is then empty, `.` or `..` becomes `unnamed`.
 *
 * @param raw The name as the client sent it, decoded.
 * @param maxBytes Longest result, in bytes of UTF-8.
 * @throws UploadError `filename_invalid` with `limitBytes` when the name is longer; it is not cut, as its extension
 *   would go first.
 */
export function toFilename(raw: string, maxBytes: number): string {
  if (raw.length > MAX_RAW_LENGTH) throw tooLong(raw, maxBytes);
  const lastSegment = raw.slice(Math.max(raw.lastIndexOf('/'), raw.lastIndexOf('\\')) + 1);
  const filename = toUSVString(lastSegment).replace(INVISIBLE, '').normalize('NFC').trim();
  if (Buffer.byteLength(filename) > maxBytes) throw tooLong(filename, maxBytes);
  return filename === '' || filename === '.' || filename === '..' ? 'unnamed' : filename;
}

/**
 * Whether a file name ends in this extension, given in lower case and without its dot, and has something before it:
 * `archive.tar.GZ` ends in `gz` and in `tar.gz`, `.bashrc` in none but `''`, as `README` and `draft.` do.
 */
export function hasExtension(filename: string, extension: string): boolean {
  if (extension === '') return extname(filename).length < 2;
  const lower = filename.toLowerCase();
  return lower.endsWith(`.${extension}`) && lower.length > extension.length + 1;
}

function tooLong(filename: string, limitBytes: number): UploadError {
  return new UploadError(
    'filename_invalid',
    `The file name ${excerpt(filename)} is longer than ${limitBytes} bytes of UTF-8. Send a shorter one.`,
    { limitBytes },
  );
}
