import type { Usage, UsageByState, UsageCount } from '../persistence/admin-usage.js';

/** Uploads and stored bytes by state; each upload is in one of them. */
export interface UsageStatesBody {
  readonly in_progress: UsageCount;
  readonly complete: UsageCount;
  readonly expired: UsageCount;
  /** Not due yet. */
  readonly failed: UsageCount;
  readonly deleting: UsageCount;
  readonly total: UsageCount;
}

/** Uploads and stored bytes in all, by type, and of each type's users with most bytes. */
export interface UsageBody {
  readonly total: UsageStatesBody;
  readonly types: readonly (UsageStatesBody & {
    readonly type: string;
    readonly users: readonly (UsageStatesBody & { readonly user_id: string | null })[];
  })[];
}

export function renderUsage(types: readonly (Usage & { readonly type: string })[]): UsageBody {
  return {
    total: renderStates(sumOf(types.map(({ total }) => total))),
    types: types.map(({ type, total, users }) => ({
      type,
      ...renderStates(total),
      users: users.map(({ userId, states }) => ({ user_id: userId, ...renderStates(states) })),
    })),
  };
}

function renderStates({ inProgress, complete, expired, failed, deleting }: UsageByState): UsageStatesBody {
  const parts = { in_progress: inProgress, complete, expired, failed, deleting };
  return { ...parts, total: Object.values(parts).reduce(add, { uploads: 0, bytes: 0 }) };
}

function sumOf(all: readonly UsageByState[]): UsageByState {
  const sum = (part: keyof UsageByState) =>
    all.map((states) => states[part]).reduce(add, { uploads: 0, bytes: 0 });
  return {
    inProgress: sum('inProgress'),
    complete: sum('complete'),
    expired: sum('expired'),
    failed: sum('failed'),
    deleting: sum('deleting'),
  };
}

function add(one: UsageCount, other: UsageCount): UsageCount {
  return { uploads: one.uploads + other.uploads, bytes: one.bytes + other.bytes };
}
