import { UploadError } from '../errors/upload-error.js';

/** SQLSTATE classes in which the database could not do its work, whatever the statement (PostgreSQL, appendix A). */
const UNAVAILABLE_STATE = /^(08|25006|25P0[23]|28|3D|40|53|55P03|57)/;
const UNAVAILABLE_NETWORK =
  /^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|EMFILE|ENFILE)$/;
/** What `pg` and TypeORM say without a code; whole openings, since an app's own error may be about something closed too. */
const UNAVAILABLE_MESSAGE =
  /^(Connection terminated|timeout exceeded when trying to connect|Client (has encountered a connection error|was closed) and is not queryable|Cannot use a pool after calling end|Driver not Connected)/;

interface DriverFailure {
  readonly code?: unknown;
  readonly message?: unknown;
  readonly driverError?: DriverFailure;
}

function isUnavailable(failure: DriverFailure | null | undefined): boolean {
  const { code, message } = failure?.driverError ?? failure ?? {};
  if (typeof code === 'string') return UNAVAILABLE_STATE.test(code) || UNAVAILABLE_NETWORK.test(code);
  return typeof message === 'string' && UNAVAILABLE_MESSAGE.test(message);
}

/** Which of the app's constraints a statement failed for: a value that is taken, or a reference to what is not there. */
export function violationOf(error: unknown): 'unique' | 'reference' | null {
  const { code } = (error as DriverFailure | null)?.driverError ?? {};
  return code === '23505' ? 'unique' : code === '23503' ? 'reference' : null;
}

/** The error of a failed statement as the rest of the module knows it: `database_unavailable`, or itself. */
export function databaseFailure(error: unknown): unknown {
  if (UploadError.is(error) || !isUnavailable(error as DriverFailure)) return error;
  return new UploadError(
    'database_unavailable',
    'The database cannot be reached. Try the same request again.',
    {
      cause: error,
      retryAfter: 2,
    },
  );
}
