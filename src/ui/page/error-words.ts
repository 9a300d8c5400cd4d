import type { ChunkedUploadError } from '../../client/index.js';
import { formatBytes } from './format.js';

const PROGRAM = 'Page and server do not understand each other';

/** What happened, as a person should read it, by the codes of docs/errors.md and those of the client. */
export const ERROR_WORDS: Readonly<Record<string, string>> = {
  already_complete: 'This file is on the server already.',
  auth_unavailable: 'The server cannot check who you are right now.',
  body_too_large: `${PROGRAM}: it takes no request this long.`,
  busy: 'Somebody else, or another tab, is sending this file right now.',
  checksum_malformed: `${PROGRAM}: the checksum is not written as it should be.`,
  checksum_mismatch: 'The file arrived damaged, or was changed meanwhile.',
  checksum_missing: `${PROGRAM}: the server wants a checksum and got none.`,
  checksum_unknown: `${PROGRAM}: the server wants another kind of checksum.`,
  chunk_too_large: 'The server takes only smaller pieces than this page can send.',
  content_range_invalid: `${PROGRAM}: a piece does not say properly where it belongs.`,
  content_range_missing: `${PROGRAM}: a piece does not say where it belongs.`,
  database_unavailable: 'The server has a problem with its database.',
  encoding_not_supported: `${PROGRAM}: something on the way compressed what was sent.`,
  expired: 'This upload was left alone for too long, and the server has deleted it.',
  failed: 'The server has lost a part of this file. Please tell those who run it.',
  filename_invalid: 'The server does not take this file name. Give the file a shorter, simpler one.',
  forbidden: 'You are not allowed to do this here.',
  idle_timeout: 'The connection was too slow or broke off.',
  incomplete: 'A part of the file has not arrived.',
  internal_error: 'The server made a mistake.',
  length_mismatch: 'A piece arrived cut or changed on the way.',
  malformed_request: `${PROGRAM}: it cannot read what was sent.`,
  method_not_allowed: `${PROGRAM}: this is no place to upload to.`,
  no_chunk: `${PROGRAM}: a piece arrived empty.`,
  no_space: 'The server has no room for this file. What has arrived is kept.',
  not_found: 'The server does not know this upload any more.',
  offset_mismatch: 'Page and server disagree on how much has arrived.',
  owner_not_allowed: 'Files cannot be added to this place.',
  quota_exceeded: 'You have too many unfinished uploads.',
  range_not_satisfiable: `${PROGRAM}: it was asked for bytes behind the end of the file.`,
  refused: 'The server refuses this file.',
  shutting_down: 'The server is being restarted.',
  size_mismatch: 'The file has another size than when its upload began. Choose it again.',
  storage_unavailable: 'The server cannot reach its disks right now.',
  taken_over: 'Another tab or device is sending this file now.',
  too_large: 'The file is too large.',
  too_small: 'The file is too small.',
  type_not_allowed: 'Files of this kind are not accepted here.',
  unauthenticated: 'You are signed out.',

  aborted: 'The upload was stopped.',
  cancelled: 'The upload was cancelled.',
  checksum_unsupported: `${PROGRAM}: it wants a checksum that browsers cannot make.`,
  headers_failed: 'You could not be signed in.',
  network: 'The server cannot be reached.',
  source_changed: 'The file was changed while it was being sent. Choose it again.',
  source_mismatch: 'This is not the file the upload began with.',
  source_not_repeatable: 'This cannot be read a second time. Choose it again.',
  source_unreadable: 'The file cannot be read. Was it moved or deleted, or is it a folder?',
};

const AGAIN = 'Try again in a moment.';
const ANEW = 'Try again, and it is sent from the beginning.';

/** What to do, where trying again can help; nothing else is offered to be tried again. */
const NEXT_STEPS: Readonly<Record<string, string>> = {
  auth_unavailable: AGAIN,
  busy: AGAIN,
  checksum_mismatch: ANEW,
  database_unavailable: AGAIN,
  expired: ANEW,
  failed: ANEW,
  headers_failed: 'Sign in, then try again.',
  idle_timeout: AGAIN,
  incomplete: AGAIN,
  internal_error: AGAIN,
  length_mismatch: AGAIN,
  network: 'Is there a connection? Try again.',
  no_space: 'Try again later.',
  not_found: ANEW,
  offset_mismatch: AGAIN,
  quota_exceeded: 'Finish or cancel one, then try again.',
  shutting_down: 'Try again in a minute.',
  source_unreadable: 'If it is back in its place, try again.',
  storage_unavailable: AGAIN,
  taken_over: 'Try again to send it from here.',
  unauthenticated: 'Sign in, then try again: it goes on where it stopped.',
};

/** Answers without a code that the page knows: of proxies, and of guards with a word of their own. */
const WORDS_BY_STATUS: Readonly<Record<number, string>> = {
  401: words('unauthenticated'),
  403: words('forbidden'),
  404: 'There is nothing to upload to at this address.',
  413: 'Something between you and the server does not let pieces of this size through.',
};
const PASSING_STATUSES: readonly number[] = [408, 423, 425, 429];

/** What happened, and what to do. */
export function wordsFor(error: ChunkedUploadError): string {
  return [whatHappened(error), nextStep(error)].filter(Boolean).join(' ');
}

/** What happened, where the page does by itself what can be done. */
export function whatHappened({ code, status, problem, message }: ChunkedUploadError): string {
  const limit = problem?.limit_bytes;
  if (code === 'too_large' && limit !== undefined)
    return `The file is too large: at most ${formatBytes(limit)}.`;
  if (code === 'too_small' && limit !== undefined)
    return `The file is too small: at least ${formatBytes(limit)}.`;
  // An app's own reasons are made for people.
  if (code === 'refused' && problem?.detail) return problem.detail;
  if (code in ERROR_WORDS) return words(code);
  if (status === undefined) return `Something went wrong (${message}).`;
  return WORDS_BY_STATUS[status] ?? `The server answered with an error (${status}).`;
}

/** Whether the same file may go through when somebody tries again, and not only after changing something about it. */
export function canTryAgain(error: ChunkedUploadError): boolean {
  return nextStep(error) !== undefined;
}

function nextStep({ code, status }: ChunkedUploadError): string | undefined {
  if (code in ERROR_WORDS) return NEXT_STEPS[code];
  if (status === 401) return NEXT_STEPS.unauthenticated;
  const mayPass = status === undefined || status >= 500 || PASSING_STATUSES.includes(status);
  return mayPass ? AGAIN : undefined;
}

function words(code: string): string {
  return ERROR_WORDS[code] ?? '';
}
