import { ChunkedUploadError } from '../../client/chunked-upload-error.js';
import { systemCode } from '../../errors/system-code.js';

/** Why one file was not transferred, for people and for scripts. */
export interface TransferFailure {
  /** A code of docs/errors.md, of the client, or of the system, such as `ENOSPC`. */
  readonly code: string;
  /** What happened, and what to do. */
  readonly message: string;
  /** HTTP status, where there was an answer. */
  readonly status?: number;
}

const NO_ROUTE = 'Is there an upload route at this address? It usually ends in /upload.';
const REDIRECTED = 'It sends callers elsewhere; name that address yourself, as credentials do not follow.';

/** What to do where the message does not say it. */
const ADVICE: Readonly<Record<string, string>> = {
  network: 'Check the address and whether the server runs; the same command goes on where this one ended.',
  unauthenticated: 'Say who you are: --user name:password, --bearer token, or --header.',
  forbidden: 'Whoever you are there may not do this.',
  not_found: 'Check the address, and whether the upload is yours.',
  no_space: 'Try again when the server has room; the same command goes on where this one ended.',
  method_not_allowed: NO_ROUTE,
  quota_exceeded: 'Finish or cancel an unfinished upload of yours first.',
  checksum_mismatch:
    'The bytes were damaged on their way, or the file changed meanwhile. Run the same command again.',
  source_changed: 'Run the same command again when nobody writes to the file.',
  taken_over: 'Somebody else is uploading the same file now; wait for them.',
  busy: 'Somebody else is uploading the same file now; wait for them, or run the same command later.',
  failed: 'Tell whoever runs the server; the same command uploads the file anew.',
  internal_error: 'Tell whoever runs the server; the same command goes on where this one ended.',
  shutting_down: 'Run the same command again when the server is back.',
  database_unavailable: 'Run the same command again when the server is well.',
  storage_unavailable: 'Run the same command again when the server is well.',
  auth_unavailable: 'Run the same command again when the server is well.',
};

/** What to do about an answer that names no code: not by this module, or by a proxy before it. */
const ADVICE_BY_STATUS: Readonly<Record<number, string>> = {
  ...Object.fromEntries([301, 302, 303, 307, 308].map((status) => [status, REDIRECTED])),
  403: ADVICE.forbidden ?? '',
  404: NO_ROUTE,
  405: NO_ROUTE,
  407: 'A proxy on the way wants to know who you are.',
  413: 'A proxy on the way takes no bodies of this size; try a smaller --chunk-size.',
};

/** Says in plain words why a transfer failed. */
export function transferFailure(error: unknown): TransferFailure {
  if (!(error instanceof ChunkedUploadError)) {
    return { code: systemCode(error) ?? 'internal', message: (error as Error).message };
  }
  const { code, status } = error;
  const advice = ADVICE[code] ?? (code === 'http' ? ADVICE_BY_STATUS[status ?? 0] : undefined);
  const reason = code === 'network' ? reasonOf(error.cause) : '';
  return {
    code,
    message: [error.message.replace(/\.$/, `${reason}.`), ...(advice ? [advice] : [])].join(' '),
    ...(status !== undefined && { status }),
  };
}

/** The system's own word for it, such as ECONNREFUSED, which `fetch` hides in a cause. */
function reasonOf(cause: unknown): string {
  const code = systemCode(cause) ?? systemCode((cause as Error | undefined)?.cause);
  return code === undefined ? '' : ` (${code})`;
}
