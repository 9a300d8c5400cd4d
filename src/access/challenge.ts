import { UploadError } from '../errors/upload-error.js';
import { InvalidOptionError, show } from '../option-values.js';

/** What a header may hold without anybody reading it differently. */
const PRINTABLE = /^[\x20-\x7e]*$/;

/**
 * `Scheme realm="…"`, a `WWW-Authenticate` value (RFC 9110 section 11.6.1).
 * @throws InvalidOptionError for a realm that is not printable ASCII: no answer could carry it.
 */
export function challengeOf(scheme: string, realm: string): string {
  return `${scheme} realm="${headerText('realm', realm).replace(/["\\]/g, '\\$&')}"`;
}

/** A value as it goes into a header. @throws InvalidOptionError when it is not printable ASCII. */
export function headerText(name: string, value: string): string {
  if (PRINTABLE.test(value)) return value;
  throw new InvalidOptionError(`${name} must be printable ASCII, not ${show(value)}.`);
}

/** One refusal for missing and for wrong credentials, so that the answer tells nobody which part was right. */
export function unauthenticated(message: string, challenge?: string): UploadError {
  return new UploadError('unauthenticated', message, challenge === undefined ? {} : { challenge });
}
