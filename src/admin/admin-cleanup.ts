import type { CleanupOptions, CleanupReport, UploadCleanup } from '../cleanup/upload-cleanup.js';
import { UploadError } from '../errors/upload-error.js';

/** A cleanup that an administrator started in this process. */
export interface CleanupRun {
  readonly options: CleanupOptions;
  readonly startedAt: Date;
  /** Null while it runs. */
  readonly finishedAt: Date | null;
  /** What it has done so far. */
  readonly report: CleanupReport | null;
  /** Code of what ended it early. */
  readonly error: string | null;
}

/** Runs cleanups on demand, one at a time, and remembers the last one. */
export class AdminCleanup {
  private current: CleanupRun | null = null;

  constructor(private readonly cleanup: UploadCleanup) {}

  /** The last run, or the one that is running; null before the first. */
  get last(): CleanupRun | null {
    return this.current;
  }

  /** @throws UploadError `busy` while another one runs; what the cleanup throws. */
  async run(options: CleanupOptions): Promise<CleanupRun> {
    if (this.current && !this.current.finishedAt) {
      throw new UploadError('busy', 'A cleanup is running. Try again when it has ended.', { retryAfter: 5 });
    }
    this.current = { options, startedAt: new Date(), finishedAt: null, report: null, error: null };
    try {
      const onProgress = (report: CleanupReport) => this.note({ report });
      return this.note({
        report: await this.cleanup.run({ ...options, onProgress }),
        finishedAt: new Date(),
      });
    } catch (error) {
      this.note({ finishedAt: new Date(), error: UploadError.is(error) ? error.code : 'internal_error' });
      throw error;
    }
  }

  private note(news: Partial<CleanupRun>): CleanupRun {
    return (this.current = { ...(this.current as CleanupRun), ...news });
  }
}
