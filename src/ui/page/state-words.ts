import type { UploadProgress, UploadState } from '../../client/index.js';
import { formatBytes, formatPercent, formatRate, formatTimeLeft } from './format.js';

/** States as a person knows them. */
const STATE_WORDS: Readonly<Record<UploadState, string>> = {
  idle: 'Not started',
  waiting: 'Waiting for its turn',
  offline: 'Waiting for the network',
  uploading: 'Uploading',
  paused: 'Paused',
  completing: 'All sent, now being checked',
  complete: 'Complete',
  cancelled: 'Being cancelled',
  failed: 'Stopped',
};

/** How an upload stands, in a line: `Uploading · 45% · 90 MB of 200 MB · 12 MB/s · 9 s left`. */
export function describeProgress(
  progress: UploadProgress,
  file: { readonly size: number },
  isTroubled: boolean,
): string {
  const { state, bytesSent, bytesPerSecond, secondsLeft } = progress;
  const size = progress.size ?? file.size;
  const facts: string[] = [];
  if (bytesSent === 0) facts.push(formatBytes(size));
  else facts.push(formatPercent(bytesSent, size), `${formatBytes(bytesSent)} of ${formatBytes(size)}`);
  if (state === 'uploading' && bytesPerSecond !== null) facts.push(formatRate(bytesPerSecond));
  if (state === 'uploading' && secondsLeft !== null) facts.push(formatTimeLeft(secondsLeft));
  const word = state === 'waiting' && isTroubled ? 'Waiting to try again' : STATE_WORDS[state];
  return inLine(state === 'cancelled' ? [word] : [word, ...facts]);
}

/** Facts side by side. A line breaks between them, not within a number and its unit. */
export function inLine(facts: readonly string[]): string {
  return facts.map((fact) => fact.replaceAll(' ', '\u00a0')).join(' · ');
}
