import type { CleanupRun } from '../cleanup/cleanup-run.js';
import type { CleanupReport, TypeReport } from '../cleanup/upload-cleanup.js';
import type { AdminCleanup } from './admin-cleanup.js';

/** What a cleanup did; rows and bytes are those deleted, of a dry run those that would be. */
export interface CleanupReportBody extends TypeReport {
  readonly types: Readonly<Record<string, TypeReport>>;
}

/** A cleanup, over or not. */
export interface CleanupRunBody {
  readonly started_at: string;
  /** Null while it runs. */
  readonly finished_at: string | null;
  readonly dry_run: boolean;
  readonly unfinished: boolean;
  readonly older_than: string | null;
  /** What it has done so far. */
  readonly report: CleanupReportBody | null;
  /** Code of what ended it early. */
  readonly error: string | null;
}

/** The cleanups of this process. */
export interface CleanupBody {
  /** The last one that was asked for. */
  readonly last: CleanupRunBody | null;
  /** Those by the clock, by upload type. */
  readonly scheduled: readonly {
    readonly type: string;
    readonly cron: string;
    readonly next_at: string;
    readonly last: CleanupRunBody | null;
  }[];
}

export function renderCleanup({ last, scheduled }: Pick<AdminCleanup, 'last' | 'scheduled'>): CleanupBody {
  return {
    last: last && renderRun(last),
    scheduled: scheduled.map((job) => ({
      type: job.type,
      cron: job.cron,
      next_at: job.nextAt.toISOString(),
      last: job.last && renderRun(job.last),
    })),
  };
}

function renderRun({ options, startedAt, finishedAt, report, error }: CleanupRun): CleanupRunBody {
  return {
    started_at: startedAt.toISOString(),
    finished_at: finishedAt?.toISOString() ?? null,
    dry_run: options.dryRun ?? false,
    unfinished: options.unfinished ?? false,
    older_than: options.olderThan?.toISOString() ?? null,
    report: report && renderReport(report),
    error,
  };
}

function renderReport({ rows, bytes, failures, types }: CleanupReport): CleanupReportBody {
  return { rows, bytes, failures, types };
}
