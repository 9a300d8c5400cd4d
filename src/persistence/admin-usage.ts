import type { Row } from './row-mapper.js';

/** How many uploads, and how many bytes of them are stored. */
export interface UsageCount {
  readonly uploads: number;
  readonly bytes: number;
}

/** The parts that usage is told by, and the columns they are counted in. An upload is in one of them. */
const USAGE_COLUMNS = {
  inProgress: 'in_progress',
  complete: 'complete',
  expired: 'expired',
  failed: 'failed',
  deleting: 'deleting',
} as const;

/** One of the parts that usage is told by. */
export type UsagePart = keyof typeof USAGE_COLUMNS;
const PARTS = Object.keys(USAGE_COLUMNS) as UsagePart[];

/** Usage by state. */
export type UsageByState = Readonly<Record<UsagePart, UsageCount>>;

/** Usage of one table. */
export interface Usage {
  readonly total: UsageByState;
  /** Those with most bytes; null is nobody. */
  readonly users: readonly { readonly userId: string | null; readonly states: UsageByState }[];
}

/** The statement for {@link usageOf}; its parameter is how many users it tells of. */
export function usageQuery(
  { name, user }: { readonly name: string; readonly user: { readonly column: string } },
  conditions: Readonly<Record<UsagePart, string>>,
): string {
  const columns = PARTS.map((part) => USAGE_COLUMNS[part]);
  const counted = PARTS.map((part) => {
    const where = `FILTER (WHERE ${conditions[part]})`;
    const column = USAGE_COLUMNS[part];
    return `count(*) ${where} AS ${column}_uploads, COALESCE(sum("offset") ${where}, 0) AS ${column}_bytes`;
  });
  const each = columns.flatMap((column) => [`${column}_uploads`, `${column}_bytes`]);
  const bytes = columns.map((column) => `${column}_bytes`).join(' + ');
  return `WITH per_user AS MATERIALIZED (
      SELECT ${user.column}::text AS user_id, ${counted.join(', ')} FROM ${name} GROUP BY ${user.column}),
    ranked AS (SELECT *, ${bytes} AS bytes FROM per_user ORDER BY bytes DESC, user_id LIMIT $1)
    SELECT true AS is_total, NULL AS user_id, ${each.map((column) => `sum(${column}) AS ${column}`).join(', ')},
      NULL::numeric AS bytes FROM per_user
    UNION ALL SELECT false, user_id, ${each.join(', ')}, bytes FROM ranked
    ORDER BY is_total DESC, bytes DESC, user_id`;
}

/** Reads the rows of {@link usageQuery}. */
export function usageOf([total, ...users]: readonly Row[]): Usage {
  return {
    total: statesOf(total ?? {}),
    users: users.map((row) => ({ userId: row.user_id as string | null, states: statesOf(row) })),
  };
}

function statesOf(row: Row): UsageByState {
  const count = (part: UsagePart): UsageCount => ({
    uploads: Number(row[`${USAGE_COLUMNS[part]}_uploads`] ?? 0),
    bytes: Number(row[`${USAGE_COLUMNS[part]}_bytes`] ?? 0),
  });
  return Object.fromEntries(PARTS.map((part) => [part, count(part)])) as UsageByState;
}
