import { systemCode } from '../../errors/system-code.js';
import { UploadError } from '../../errors/upload-error.js';

const NO_SPACE = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/** A failed system call as the rest of the module knows it; the path stays in `cause`, for the log. */
export function storageFailure(error: unknown): UploadError {
  if (UploadError.is(error)) return error;
  if (NO_SPACE.has(systemCode(error) ?? '')) {
    return new UploadError(
      'no_space',
      'The server has no space left for this. The upload can go on when it has.',
      {
        cause: error,
        retryAfter: 60,
      },
    );
  }
  return new UploadError(
    'storage_unavailable',
    'The storage cannot be used. Try the same request again later.',
    {
      cause: error,
      retryAfter: 10,
    },
  );
}

/** Bytes that were acknowledged are not there: said once, never papered over. */
export function bytesLost(): UploadError {
  return new UploadError('failed', 'Bytes of this upload were lost in the storage. Start a new upload.');
}

/**
 * What a failed sync tells: what was acknowledged without one may be among what the kernel could not write, and has
 * dropped.
 */
export function syncFailure(error: unknown, isUnsynced: boolean): unknown {
  return isUnsynced ? bytesLost() : error;
}
