import { excerpt } from '../../errors/excerpt.js';
import { UploadError } from '../../errors/upload-error.js';
import { partDisposition } from './content-disposition.js';
import { normalizeMediaType } from './media-type.js';

const MAX_NAME_BYTES = 100;
const MAX_VALUE_BYTES = 8 * 1024;

/** The codings that change nothing. RFC 7578 section 4.7 does away with the others. */
const PLAIN_CODINGS = ['7bit', '8bit', 'binary'];

const UTF_8 = new TextDecoder('utf-8', { fatal: true });

/** Header values of a part by lower-case name, their bytes as latin1. */
export type PartHeaders = Readonly<Record<string, readonly string[] | undefined>>;

/** What the header of one part of a `multipart/form-data` body says. */
export interface PartHeader {
  readonly name: string;
  readonly isFile: boolean;
  readonly filename: string | undefined;
  /** Media type in lower case without parameters. */
  readonly contentType: string | null;
}

/**
 * Reads the header of a part (RFC 7578 section 4).
 *
 * A part is a file when it has a file name, or none but the type `application/octet-stream`. An empty file name is
 * what a browser sends for a file input in which nothing was chosen: no file.
 *
 * @throws UploadError `malformed_request` where the header names no form field or cannot be read for certain.
 */
export function readPartHeader(headers: PartHeaders): PartHeader {
  const [disposition, ...others] = headers['content-disposition'] ?? [];
  const part = disposition === undefined || others.length > 0 ? null : partDisposition(disposition);
  if (part === null) {
    const given = disposition === undefined ? '' : `, not ${excerpt(disposition)}`;
    throw malformedRequest(
      `Every part of the form needs one 'Content-Disposition: form-data; name="…"'${given}.`,
    );
  }
  const { name, filename } = part;
  if (Buffer.byteLength(name) > MAX_NAME_BYTES) {
    throw malformedRequest(`The form field ${excerpt(name)} has a name longer than ${MAX_NAME_BYTES} bytes.`);
  }
  const coding = headers['content-transfer-encoding']?.join(', ').trim().toLowerCase() ?? 'binary';
  if (!PLAIN_CODINGS.includes(coding)) {
    throw malformedRequest(
      `The form field ${excerpt(name)} is sent as ${excerpt(coding)}; send its bytes as they are.`,
    );
  }
  const contentType = normalizeMediaType(headers['content-type']?.[0]);
  const isFile = filename === undefined ? contentType === 'application/octet-stream' : filename !== '';
  return { name, isFile, filename: isFile ? filename : undefined, contentType };
}

/** The value of a text field as it arrives. */
export class TextValue {
  private readonly pieces: Buffer[] = [];
  private length = 0;

  constructor(private readonly name: string) {}

  /** @throws UploadError `malformed_request` with `limitBytes` as soon as the value is longer than 8 KiB. */
  append(data: Buffer): void {
    this.length += data.length;
    if (this.length > MAX_VALUE_BYTES) {
      throw new UploadError(
        'malformed_request',
        `The form field ${excerpt(this.name)} is longer than ${MAX_VALUE_BYTES} bytes. If it is the file, its part ` +
          'needs a filename.',
        { limitBytes: MAX_VALUE_BYTES },
      );
    }
    this.pieces.push(data);
  }

  /** @throws UploadError `malformed_request` when the value is not UTF-8. */
  decode(): string {
    try {
      return UTF_8.decode(Buffer.concat(this.pieces));
    } catch (cause) {
      throw malformedRequest(`The form field ${excerpt(this.name)} is not UTF-8.`, cause);
    }
  }
}

/** A `malformed_request`. */
export function malformedRequest(message: string, cause?: unknown): UploadError {
  return new UploadError('malformed_request', message, { cause });
}
