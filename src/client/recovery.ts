import type { ChunkedUploadError } from './chunked-upload-error.js';
import type { ErrorAction } from './error-table.js';
import type { ResolvedOptions } from './resolve-options.js';

/** Counts tries in a row without progress, and says how long to wait before the next. */
export class Recovery {
  /** Tries that failed since the last progress. */
  attempts = 0;
  #offset = 0;

  constructor(private readonly retry: ResolvedOptions['retry']) {}

  /**
   * Ms to wait before the next try, drawn at random so that many clients do not come back at once; null when it was tried
   * often enough.
   * @param offset what is acknowledged by now.
   */
  next(error: ChunkedUploadError, action: ErrorAction, offset: number): number | null {
    if (offset > this.#offset) this.attempts = 0;
    this.#offset = offset;
    this.attempts += 1;
    if (this.attempts >= this.retry.maxAttempts) return null;
    if (action !== 'retry' && this.attempts === 1 && error.retryAfter === undefined) return 0;
    const { minDelayMs, maxDelayMs } = this.retry;
    const most = Math.min(maxDelayMs, minDelayMs * 2 ** (this.attempts - 1));
    return (error.retryAfter ?? 0) * 1000 + Math.random() * most;
  }
}
