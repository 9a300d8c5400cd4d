import { ChunkedUploadError } from '../../client/chunked-upload-error.js';
import { sleep } from '../../client/sleep.js';

const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 30_000;

/** How often and until when something is tried. */
export interface RetryLimits {
  /** Tries after the first, without progress in between. */
  readonly retries: number;
  readonly signal: AbortSignal;
  /** Told of each wait, and by null of its end. */
  readonly onWait: (delayMs: number | null) => void;
}

/** Tries again what may heal, after waits that double and are drawn at random (full jitter). */
export class HttpRetries {
  private failures = 0;

  constructor(private readonly limits: RetryLimits) {}

  /** Bytes arrived: the count of failures begins anew. */
  progressed(): void {
    this.failures = 0;
  }

  /** @throws What `work` threw last, or the signal's reason when it is aborted. */
  async run<Result>(work: () => Promise<Result>): Promise<Result> {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        this.limits.signal.throwIfAborted();
        if (!(error instanceof ChunkedUploadError) || !error.isRetryable) throw error;
        if (++this.failures > this.limits.retries) throw error;
        await this.wait(error);
      }
    }
  }

  private async wait({ retryAfter = 0 }: ChunkedUploadError): Promise<void> {
    const most = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** (this.failures - 1));
    const delayMs = Math.max(retryAfter * 1000, Math.random() * most);
    this.limits.onWait(delayMs);
    await sleep(delayMs, this.limits.signal);
    this.limits.onWait(null);
  }
}
