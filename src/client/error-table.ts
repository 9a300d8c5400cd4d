import type { ChunkedUploadError } from './chunked-upload-error.js';

/**
 * What the client does about an error.
 *
 * - `retry`: the same again, after a wait and after asking the server where the upload stands
 * - `seek`: the same, without a wait the first time
 * - `shrink`: smaller chunks
 * - `watch`: somebody else goes on with this upload; look on, and take over only when they stop
 * - `restart`: this upload is of no use; a new one, where it was begun before this run
 * - `stop`: nothing the client can do
 */
export type ErrorAction = 'retry' | 'seek' | 'shrink' | 'watch' | 'restart' | 'stop';

/** Codes whose status does not say it. */
const ACTION_BY_CODE = new Map(
  Object.entries<ErrorAction>({
    network: 'retry',
    incomplete: 'seek',
    offset_mismatch: 'seek',
    already_complete: 'seek',
    chunk_too_large: 'shrink',
    body_too_large: 'stop',
    taken_over: 'watch',
    checksum_mismatch: 'restart',
  }),
);

/** Proxies, and servers in trouble, answer without a code; a newer server may have more of them. */
const ACTION_BY_STATUS: Readonly<Record<number, ErrorAction>> = {
  404: 'restart',
  408: 'seek',
  410: 'restart',
  413: 'shrink',
  423: 'retry',
  425: 'retry',
  429: 'retry',
  501: 'stop',
};

/** The column "do" of docs/errors.md, for the client. */
export function actionFor({ code, status = 0 }: Pick<ChunkedUploadError, 'code' | 'status'>): ErrorAction {
  return ACTION_BY_CODE.get(code) ?? ACTION_BY_STATUS[status] ?? (status >= 500 ? 'retry' : 'stop');
}
