import type { ChunkWindow } from '../../engine/chunk-window.js';
import { excerpt } from '../../errors/excerpt.js';
import { UploadError } from '../../errors/upload-error.js';

/** The longest valid value is `bytes` and three 16-digit numbers: 56 characters. */
const MAX_HEADER_LENGTH = 64;

/** RFC 9110 section 14.4: one SP, ASCII digits, no sign; stricter in refusing leading zeros. */
const CONTENT_RANGE = /^bytes (0|[1-9][0-9]{0,15})-(0|[1-9][0-9]{0,15})\/(\*|0|[1-9][0-9]{0,15})$/i;

/** The only unsatisfied-range that says where a body goes: nowhere, as the file is empty. */
const EMPTY_FILE = /^bytes \*\/0$/i;

/**
 * Reads the `Content-Range` of a request (RFC 9110 section 14.4), which says where its body goes in the file:
 * `bytes <first>-<last>/<total>`, the total `*` while unknown. A file without bytes has no first and last byte:
 * its one chunk has the unsatisfied-range of total 0.
 *
 * @param header The header as Node gives it; two of them arrive joined by a comma and are refused.
 * @returns The window, its end exclusive, or null when there is no header.
 * @throws UploadError `content_range_invalid` for everything else: another unit or spelling, a last byte before the
 *   first or not below the total, a number beyond 2^53 - 1.
 */
export function parseContentRange(header: string | undefined): ChunkWindow | null {
  if (header === undefined) return null;
  if (header.length > MAX_HEADER_LENGTH) throw invalid(header, 'it is too long');
  if (EMPTY_FILE.test(header)) return { start: 0, end: 0, total: 0 };
  const match = CONTENT_RANGE.exec(header);
  if (match === null) throw invalid(header, 'it is not of that form');
  const start = Number(match[1]);
  const last = Number(match[2]);
  const total = match[3] === '*' ? null : Number(match[3]);
  if (last < start) throw invalid(header, 'its last byte lies before its first');
  if (total !== null && last >= total) throw invalid(header, 'its last byte must be below its total');
  // The end, not only the last byte, becomes an offset.
  if (!Number.isSafeInteger(last + 1) || !Number.isSafeInteger(total ?? 0)) {
    throw invalid(header, 'its numbers go beyond 2^53 - 1');
  }
  return { start, end: last + 1, total };
}

function invalid(header: string, problem: string): UploadError {
  return new UploadError(
    'content_range_invalid',
    `Content-Range ${excerpt(header)} cannot be used: ${problem}. Send "bytes <first>-<last>/<total>" once, ` +
      'for example "bytes 0-1048575/5242880"; the total may be "*" while unknown, an empty file is "bytes */0".',
  );
}
