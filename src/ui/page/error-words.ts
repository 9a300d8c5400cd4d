import type { ChunkedUploadError } from '../../client/index.js';
import { formatBytes } from './format.js';

const PROGRAM = 'Page and server do not understand each other';
const AGAIN = 'Try again in a moment.';

/** What to tell a person, by the codes of docs/errors.md and those of the client. */
export const ERROR_WORDS: Readonly<Record<string, string>> = {
  already_complete: 'This file is on the server already.',
  auth_unavailable: `The server cannot check who you are right now. ${AGAIN}`,
  body_too_large: `${PROGRAM}: it takes no request this long.`,
  busy: `Somebody else, or another tab, is sending this file right now. ${AGAIN}`,
  checksum_malformed: `${PROGRAM}: the checksum is not written as it should be.`,
  checksum_mismatch: 'The file arrived damaged, or was changed meanwhile. Upload it again.',
  checksum_missing: `${PROGRAM}: the server wants a checksum and got none.`,
  checksum_unknown: `${PROGRAM}: the server wants another kind of checksum.`,
  chunk_too_large: 'The server takes only smaller pieces than this page can send.',
  content_range_invalid: `${PROGRAM}: a piece does not say properly where it belongs.`,
  content_range_missing: `${PROGRAM}: a piece does not say where it belongs.`,
  database_unavailable: `The server has a problem with its database. ${AGAIN}`,
  encoding_not_supported: `${PROGRAM}: something on the way compressed what was sent.`,
  expired: 'This upload was left alone for too long, and the server has deleted it. Upload the file again.',
  failed: 'The server has lost a part of this file. Upload it again, and tell those who run the server.',
  filename_invalid: 'The server does not take this file name. Give the file a shorter, simpler one.',
  forbidden: 'You are not allowed to do this here.',
  idle_timeout: `The connection was too slow or broke off. ${AGAIN}`,
  incomplete: 'A part of the file has not arrived. Try again, and it will be sent.',
  internal_error: `The server made a mistake. ${AGAIN}`,
  length_mismatch: 'A piece arrived cut or changed on the way. Try again.',
  malformed_request: `${PROGRAM}: it cannot read what was sent.`,
  method_not_allowed: `${PROGRAM}: this is no place to upload to.`,
  no_chunk: `${PROGRAM}: a piece arrived empty.`,
  no_space: 'The server has no room for this file. Try again later; what has arrived is kept.',
  not_found: 'The server does not know this upload any more. Upload the file again.',
  offset_mismatch: 'Page and server disagree on how much has arrived. Try again.',
  owner_not_allowed: 'Files cannot be added to this place.',
  quota_exceeded: 'You have too many unfinished uploads. Finish or cancel one, then try again.',
  range_not_satisfiable: `${PROGRAM}: it was asked for bytes behind the end of the file.`,
  refused: 'The server refuses this file.',
  shutting_down: 'The server is being restarted. Try again in a minute.',
  size_mismatch: 'The file has another size than when its upload began. Upload it again.',
  storage_unavailable: `The server cannot reach its disks right now. ${AGAIN}`,
  taken_over: 'Another tab or device is sending this file now.',
  too_large: 'The file is too large.',
  too_small: 'The file is too small.',
  type_not_allowed: 'Files of this kind are not accepted here.',
  unauthenticated: 'You are signed out. Sign in, then try again: it goes on where it stopped.',

  aborted: 'The upload was stopped.',
  cancelled: 'The upload was cancelled.',
  checksum_unsupported: `${PROGRAM}: it wants a checksum that browsers cannot make.`,
  headers_failed: 'You could not be signed in. Sign in, then try again.',
  network: 'The server cannot be reached. Is there a connection? Try again.',
  source_changed: 'The file was changed while it was being sent. Upload it again.',
  source_mismatch: 'This is not the file the upload began with.',
  source_not_repeatable: 'This cannot be read a second time. Upload it again.',
  source_unreadable: 'The file cannot be read. Was it moved or deleted, or is it a folder?',
};

/** An error as a person should read it: what happened, and what to do. */
export function wordsFor({ code, status, problem, message }: ChunkedUploadError): string {
  const limit = problem?.limit_bytes;
  if (code === 'too_large' && limit !== undefined)
    return `The file is too large: at most ${formatBytes(limit)}.`;
  if (code === 'too_small' && limit !== undefined)
    return `The file is too small: at least ${formatBytes(limit)}.`;
  // An app's own reasons are made for people.
  if (code === 'refused' && problem?.detail) return problem.detail;
  return ERROR_WORDS[code] ?? wordsForStatus(status) ?? `Something went wrong: ${message}`;
}

/** Answers without a code: of proxies, and of guards with a word of their own. */
function wordsForStatus(status: number | undefined): string | undefined {
  if (status === undefined) return undefined;
  if (status === 401) return ERROR_WORDS.unauthenticated;
  if (status === 403) return ERROR_WORDS.forbidden;
  if (status === 404) return 'There is nothing to upload to at this address.';
  if (status === 413) return 'Something between you and the server does not let pieces of this size through.';
  return `The server answered with an error (${status}). ${AGAIN}`;
}
