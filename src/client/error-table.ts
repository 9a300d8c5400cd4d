import type { ChunkedUploadError } from './chunked-upload-error.js';

/**
 * What the client does about an error.
 *
 * - `retry`: the same again, after a wait and after asking the server where the upload stands
 * - `seek`: the same, without a wait the first time
 * - `shrink`: smaller chunks
 * - `watch`: somebody else goes on with this upload; look on, and take over only when they stop
 * - `restart`: this upload is of no use; a new one, where it was begun before this run
 * - `done`: it is complete; get the answer
 * - `stop`: nothing the client can do
 */
export type ErrorAction = 'retry' | 'seek' | 'shrink' | 'watch' | 'restart' | 'done' | 'stop';

const CODES: Readonly<Record<Exclude<ErrorAction, 'stop'>, string>> = {
  retry:
    'auth_unavailable busy database_unavailable internal_error no_space quota_exceeded shutting_down storage_unavailable network',
  seek: 'idle_timeout incomplete offset_mismatch',
  shrink: 'chunk_too_large',
  watch: 'taken_over',
  restart: 'checksum_mismatch expired failed not_found',
  done: 'already_complete',
};

const ACTION_BY_CODE = new Map<string, ErrorAction>(
  Object.entries(CODES).flatMap(([action, codes]) =>
    codes.split(' ').map((code) => [code, action as ErrorAction] as const),
  ),
);

/** Answers without a code come from proxies, and from servers in trouble. */
const ACTION_BY_STATUS: Readonly<Record<number, ErrorAction>> = {
  404: 'restart',
  408: 'seek',
  410: 'restart',
  413: 'shrink',
  423: 'retry',
  425: 'retry',
  429: 'retry',
};

/** The column "do" of docs/errors.md, for the client. Codes it does not know are `stop`. */
export function actionFor({ code, status }: Pick<ChunkedUploadError, 'code' | 'status'>): ErrorAction {
  if (code !== 'http' || status === undefined) return ACTION_BY_CODE.get(code) ?? 'stop';
  return ACTION_BY_STATUS[status] ?? (status >= 500 && status !== 501 ? 'retry' : 'stop');
}
