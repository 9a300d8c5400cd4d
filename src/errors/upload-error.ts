import type { UploadErrorCode, UploadErrorDetails } from './upload-error-code.js';

interface UploadErrorOptions extends ErrorOptions, UploadErrorDetails {}

/**
 * A refusal with a stable code. The message is written for the client's developer: what was wrong and what to do.
 * It never holds paths, SQL or another user's data.
 */
export class UploadError extends Error {
  override readonly name = 'UploadError';
  readonly details: UploadErrorDetails;

  constructor(
    readonly code: UploadErrorCode,
    message: string,
    { cause, ...details }: UploadErrorOptions = {},
  ) {
    super(message, { cause });
    this.details = details;
  }

  /** Whether `error` is an {@link UploadError}, with the given code where one is named. */
  static is(error: unknown, code?: UploadErrorCode): error is UploadError {
    return error instanceof UploadError && (code === undefined || error.code === code);
  }
}
