import { type CleanupRun, recordRun } from '../cleanup/cleanup-run.js';
import type { CleanupScheduler, ScheduledCleanup } from '../cleanup/cleanup.scheduler.js';
import type { CleanupOptions, UploadCleanup } from '../cleanup/upload-cleanup.js';
import { UploadError } from '../errors/upload-error.js';

/** Runs cleanups on demand, one at a time, and knows the last ones of this process. */
export class AdminCleanup {
  private current: CleanupRun | null = null;

  constructor(
    private readonly cleanup: UploadCleanup,
    private readonly scheduler: CleanupScheduler,
  ) {}

  /** The last run that was asked for, or the one that is running; null before the first. */
  get last(): CleanupRun | null {
    return this.current;
  }

  /** The cleanups that run by the clock. */
  get scheduled(): readonly ScheduledCleanup[] {
    return this.scheduler.scheduled;
  }

  /** @throws UploadError `busy` while another one runs; what the cleanup throws. */
  async run(options: CleanupOptions): Promise<void> {
    if (this.current && !this.current.finishedAt) {
      throw new UploadError('busy', 'A cleanup is running. Try again when it has ended.', { retryAfter: 5 });
    }
    await recordRun(this.cleanup, options, (run) => (this.current = run));
  }
}
