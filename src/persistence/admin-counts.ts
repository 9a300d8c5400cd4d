import type { AdminStatus } from './admin.repository.js';
import type { Row } from './row-mapper.js';

/** How many uploads each status of the list finds; an expired one is counted twice, as it is found twice. */
export type StatusCounts = Readonly<Record<AdminStatus, number>>;

/**
 * The statement for {@link countsOf}. The index over status and expiry has all it needs, but for what is being deleted,
 * which is looked at in the table; 0.1 s for 100,000 rows on a busy machine.
 */
export function countsQuery(table: string): string {
  return `SELECT status, expires_at <= now() AS is_over, count(*) AS uploads
      FROM ${table} WHERE status <> 'deleting' GROUP BY 1, 2
    UNION ALL SELECT CASE WHEN storage_key IS NULL THEN 'deleted' ELSE 'deleting' END, false, count(*)
      FROM ${table} WHERE status = 'deleting' GROUP BY 1`;
}

/** Reads the rows of {@link countsQuery}. */
export function countsOf(rows: readonly Row[]): StatusCounts {
  const counts = {
    uploading: 0,
    completing: 0,
    complete: 0,
    failed: 0,
    expired: 0,
    deleting: 0,
    deleted: 0,
  } satisfies StatusCounts;
  for (const { status, is_over, uploads } of rows) {
    counts[status as AdminStatus] += Number(uploads);
    if (is_over && status !== 'complete') counts.expired += Number(uploads);
  }
  return counts;
}
