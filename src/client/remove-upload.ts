import type { ChunkedUploadError } from './chunked-upload-error.js';
import { actionFor } from './error-table.js';
import type { Piece } from './platform.js';
import { Recovery } from './recovery.js';
import { sleep } from './sleep.js';
import type { UploadContext } from './upload-context.js';

/** Deletes an upload on the server; one that is gone is deleted. @throws ChunkedUploadError when it cannot be told. */
export async function removeUpload<Part extends Piece>(
  { wire, options }: UploadContext<Part>,
  url: string,
): Promise<void> {
  const { signal } = new AbortController();
  const recovery = new Recovery(options.retry);
  for (;;) {
    const error = await wire.send({ method: 'DELETE', url, signal }).then(
      () => null,
      (failure: ChunkedUploadError) => failure,
    );
    if (!error || actionFor(error) === 'restart') return;
    const delayMs = recovery.next(error, 'retry', 0);
    if (delayMs === null || !error.isRetryable) throw error;
    await sleep(delayMs, signal);
  }
}
