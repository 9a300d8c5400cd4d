import { UploadError } from '../errors/upload-error.js';
import type { CleanupOptions, CleanupReport, UploadCleanup } from './upload-cleanup.js';

/** A cleanup of this process, over or not. */
export interface CleanupRun {
  readonly options: CleanupOptions;
  readonly startedAt: Date;
  /** Null while it runs. */
  readonly finishedAt: Date | null;
  /** What it has done so far; null before the first batch. */
  readonly report: CleanupReport | null;
  /** Code of what ended it early. */
  readonly error: string | null;
}

/**
 * Runs a cleanup and tells `note` how it stands: at the start, after each batch and at the end.
 * @throws what the cleanup throws, noted before.
 */
export async function recordRun(
  cleanup: UploadCleanup,
  options: CleanupOptions,
  note: (run: CleanupRun) => void,
): Promise<CleanupRun> {
  let run: CleanupRun = { options, startedAt: new Date(), finishedAt: null, report: null, error: null };
  const tell = (news: Partial<CleanupRun>): CleanupRun => {
    run = { ...run, ...news };
    note(run);
    return run;
  };
  tell({});
  try {
    const report = await cleanup.run({ ...options, onProgress: (progress) => tell({ report: progress }) });
    return tell({ report, finishedAt: new Date() });
  } catch (error) {
    tell({ finishedAt: new Date(), error: UploadError.is(error) ? error.code : 'internal_error' });
    throw error;
  }
}
