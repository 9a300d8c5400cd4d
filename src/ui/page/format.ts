const UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte', 'petabyte'] as const;

/** The page speaks English. */
const LANGUAGE = 'en';

const percent = new Intl.NumberFormat(LANGUAGE, { style: 'percent', maximumFractionDigits: 0 });
const moment = new Intl.DateTimeFormat(LANGUAGE, { dateStyle: 'medium', timeStyle: 'short' });

/** `0 bytes`, `999 bytes`, `1.5 MB`, `120 GB`: three digits say enough. */
export function formatBytes(bytes: number): string {
  const power = Math.min(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), UNITS.length - 1);
  return new Intl.NumberFormat(LANGUAGE, {
    style: 'unit',
    unit: UNITS[power] ?? 'byte',
    unitDisplay: power === 0 ? 'long' : 'short',
    maximumSignificantDigits: power === 0 ? 3 : Math.max(3, digitsOf(bytes / 1000 ** power)),
  }).format(bytes / 1000 ** power);
}

function digitsOf(value: number): number {
  return Math.floor(value).toString().length;
}

/** `1.5 MB/s`. */
export function formatRate(bytesPerSecond: number): string {
  return `${formatBytes(Math.round(bytesPerSecond))}/s`;
}

/** `45%`. Not 100 before the last byte. */
export function formatPercent(part: number, whole: number): string {
  const share = whole === 0 ? 1 : part / whole;
  return percent.format(share < 1 ? Math.floor(share * 100) / 100 : 1);
}

/** `5 s left`, `3 min left`, `2 h 10 min left`: no more exact than a guess is. */
export function formatTimeLeft(seconds: number): string {
  if (seconds < 1) return 'almost done';
  if (seconds < 60) return `${Math.ceil(seconds)} s left`;
  const minutes = Math.ceil(seconds / 60);
  if (minutes < 60) return `${minutes} min left`;
  const hours = Math.floor(minutes / 60);
  return hours < 24
    ? `${hours} h ${minutes % 60} min left`
    : `${Math.floor(hours / 24)} d ${hours % 24} h left`;
}

/** `Nov 21, 2026, 12:00 PM`. */
export function formatMoment(date: Date): string {
  return moment.format(date);
}
