import type { UploadProgress, UploadState } from '../../client/index.js';
import { formatBytes, formatPercent, formatRate, formatTimeLeft } from './format.js';

/** States as a person knows them. */
const STATE_WORDS: Readonly<Record<UploadState, string>> = {
  idle: 'Not started',
  waiting: 'Waiting for its turn',
  offline: 'Waiting for the network; it goes on by itself',
  uploading: 'Uploading',
  paused: 'Paused',
  completing: 'All sent; the server is checking it',
  complete: 'Complete',
  cancelled: 'Cancelled',
  failed: 'Stopped',
};

/** How an upload stands, in a line: `Uploading · 45% · 90 MB of 200 MB · 12 MB/s · 9 s left`. */
export function describeProgress(progress: UploadProgress, file: { readonly size: number }): string {
  const { state, bytesSent, bytesPerSecond, secondsLeft } = progress;
  const size = progress.size ?? file.size;
  if (state === 'cancelled') return STATE_WORDS.cancelled;
  const parts = [STATE_WORDS[state], formatPercent(bytesSent, size)];
  parts.push(`${formatBytes(bytesSent)} of ${formatBytes(size)}`);
  if (state === 'uploading' && bytesPerSecond !== null) parts.push(formatRate(bytesPerSecond));
  if (state === 'uploading' && secondsLeft !== null) parts.push(formatTimeLeft(secondsLeft));
  return parts.join(' · ');
}
