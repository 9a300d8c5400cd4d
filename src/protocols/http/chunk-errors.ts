import { type ChunkWindow, lengthOf } from '../../engine/chunk-window.js';
import { UploadError } from '../../errors/upload-error.js';

/** The error for a chunk that does not say where it belongs. */
export function contentRangeMissing(): UploadError {
  return new UploadError(
    'content_range_missing',
    'Send Content-Range: bytes <start>-<end>/<total> with each chunk.',
  );
}

/** The error for a request without bytes. */
export function noChunk(): UploadError {
  return new UploadError('no_chunk', 'The request has no bytes: send a file part, or the bytes as the body.');
}

/** The error for a body that is not as long as its window. */
export function lengthMismatch(window: ChunkWindow, length: number): UploadError {
  const announced = `Content-Range announces ${lengthOf(window)} bytes`;
  return new UploadError('length_mismatch', `${announced}, but the body has ${length}.`);
}

/** What is wrong with a form that could not be read to its end. */
export function brokenForm(error: unknown): UploadError {
  if (UploadError.is(error)) return error;
  return new UploadError('length_mismatch', 'The form broke off before its end.', { cause: error });
}
