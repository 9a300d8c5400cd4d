import type { ChunkedUploadError } from './chunked-upload-error.js';
import { actionFor } from './error-table.js';
import type { Piece } from './platform.js';
import { Recovery } from './recovery.js';
import type { ResolvedOptions } from './resolve-options.js';
import { sleep } from './sleep.js';
import type { Wire } from './wire.js';

/** Deletes an upload on the server; one that is gone is deleted. @throws ChunkedUploadError when it cannot be told. */
export async function removeUpload<Part extends Piece>(
  wire: Wire<Part>,
  url: string,
  retry: ResolvedOptions['retry'],
): Promise<void> {
  const { signal } = new AbortController();
  const recovery = new Recovery(retry);
  for (;;) {
    try {
      await wire.send({ method: 'DELETE', url, signal });
      return;
    } catch (thrown) {
      const error = thrown as ChunkedUploadError;
      if (actionFor(error) === 'restart') return;
      const delayMs = recovery.next(error, 'retry', 0);
      if (delayMs === null || !error.isRetryable) throw error;
      await sleep(delayMs, signal);
    }
  }
}
