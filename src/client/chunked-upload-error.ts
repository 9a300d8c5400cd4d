/**
 * Why an upload ended without success: a code of the server (docs/errors.md), `http` for an answer without one, or one of
 * the client's own.
 *
 * - `network`: no answer, as often as was tried
 * - `aborted`: by the `signal`
 * - `cancelled`: by `cancel()`
 * - `source_changed`: the file is not what it was when the upload began
 * - `source_unreadable`: the file cannot be read
 * - `source_not_repeatable`: bytes of a stream are needed again
 * - `source_mismatch`: the file is not the one that `uploadUrl` was begun with
 * - `checksum_unsupported`: the server wants a checksum that the client cannot compute
 * - `headers_failed`: the `headers` function threw
 *
 * Anything else is `unexpected`, such as a header that cannot be sent.
 */
export type ChunkedUploadErrorCode = string;

/** The server's problem details (RFC 9457), as far as it sent them. */
export interface UploadProblem {
  readonly code?: string;
  readonly title?: string;
  readonly detail?: string;
  readonly status?: number;
  readonly offset?: number;
  readonly expected_offset?: number;
  readonly limit_bytes?: number;
  readonly retry_after?: number;
  readonly algorithms?: readonly string[];
}

/** What a {@link ChunkedUploadError} knows besides its message. */
export interface ChunkedUploadErrorDetails {
  /** HTTP status of the answer. */
  readonly status?: number;
  readonly problem?: UploadProblem;
  /** Seconds the server asks to wait, from `Retry-After`. */
  readonly retryAfter?: number | undefined;
  readonly isRetryable?: boolean;
  readonly cause?: unknown;
}

/** An upload that failed, was aborted or cancelled. */
export class ChunkedUploadError extends Error {
  override readonly name = 'ChunkedUploadError';
  /** HTTP status, where there was an answer. */
  readonly status: number | undefined;
  /** What the server said, where it did. */
  readonly problem: UploadProblem | undefined;
  /** Seconds to wait, where the server said so. */
  readonly retryAfter: number | undefined;
  /** Whether the same may succeed later without anybody changing anything. */
  readonly isRetryable: boolean;

  constructor(
    readonly code: ChunkedUploadErrorCode,
    message: string,
    { status, problem, retryAfter, isRetryable = false, cause }: ChunkedUploadErrorDetails = {},
  ) {
    super(message, { cause });
    this.status = status;
    this.problem = problem;
    this.retryAfter = retryAfter;
    this.isRetryable = isRetryable;
  }
}
