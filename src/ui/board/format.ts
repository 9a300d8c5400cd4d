import type { AdminUploadBody } from '../../admin/admin.response.js';
import type { AdminStatus } from '../../persistence/admin.repository.js';

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
const SPANS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
] as const;

/** What people call the statuses. */
export const STATUS_NAMES: Readonly<Record<AdminStatus, string>> = {
  uploading: 'Uploading',
  completing: 'Completing',
  complete: 'Complete',
  failed: 'Failed',
  expired: 'Expired',
  deleting: 'Being deleted',
  deleted: 'Record only',
};

/** An upload's status for people: one that is due is expired, whatever it was before. */
export function statusOf({ status, is_expired }: AdminUploadBody): AdminStatus {
  return is_expired ? 'expired' : (status as AdminStatus);
}

/** Bytes with a unit of powers of 1000, in three digits: `1.23 MB`. */
export function formatBytes(bytes: number): string {
  let [value, unit] = [bytes, 0];
  // Half a step before 1000: three digits would round it up to a fourth one.
  while (value >= 999.5 && unit < UNITS.length - 1) [value, unit] = [value / 1000, unit + 1];
  return `${unit === 0 ? value : value.toPrecision(3)} ${UNITS[unit]}`;
}

/** `2.00 MB of 3.00 MB, 66 %`. */
export function formatReceived({ offset, size, progress }: AdminUploadBody): string {
  if (size === null) return `${formatBytes(offset)}, size unknown`;
  if (progress === 1) return formatBytes(size);
  return `${formatBytes(offset)} of ${formatBytes(size)}, ${Math.floor((progress ?? 0) * 100)} %`;
}

/** A time span in its two largest units: `2 d 3 h`; below a second `0 s`. */
export function formatSpan(ms: number): string {
  const first = SPANS.findIndex(([, unitMs]) => ms >= unitMs);
  if (first < 0) return '0 s';
  let left = ms;
  const parts = SPANS.slice(first, first + 2).map(([unit, unitMs]) => {
    const count = Math.floor(left / unitMs);
    left -= count * unitMs;
    return count > 0 ? `${count} ${unit}` : '';
  });
  return parts.filter(Boolean).join(' ');
}

/** `in 2 h`, `3 min ago`. */
export function formatDistance(instant: string, now: number): string {
  const ms = Date.parse(instant) - now;
  return ms > 0 ? `in ${formatSpan(ms)}` : `${formatSpan(-ms)} ago`;
}

/** A time as the reader's country writes it. */
export function formatInstant(instant: string | null): string {
  return instant === null ? '–' : new Date(instant).toLocaleString();
}

/** `1 upload`, `12,345 uploads`. */
export function formatUploads(count: number): string {
  return `${count.toLocaleString()} ${count === 1 ? 'upload' : 'uploads'}`;
}
