import type { HttpException } from '@nestjs/common';
import type { UploadError } from '../../errors/upload-error.js';
import type { UploadErrorCode } from '../../errors/upload-error-code.js';

/** Problem details (RFC 9457), with the facts of an upload as extensions. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: UploadErrorCode;
  readonly offset?: number;
  readonly expected_offset?: number;
  readonly provided_offset?: number;
  readonly limit_bytes?: number;
  readonly retry_after?: number;
  readonly algorithms?: readonly string[];
}

/** Status by code: a door's total table. */
export type StatusTable = Readonly<Record<UploadErrorCode, number>>;

/** A refusal as an HTTP answer. */
export interface ProblemResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Problem;
}

/** Renders a refusal for a door. `unauthenticated` is 401 only with the challenge that RFC 9110 asks of it, else 403. */
export function renderProblem(
  { code, message, details }: UploadError,
  statuses: StatusTable,
): ProblemResponse {
  const isUnchallenged =
    code === 'unauthenticated' && details.challenge === undefined && statuses[code] === 401;
  return problemResponse({ code, message, details }, isUnchallenged ? 403 : statuses[code]);
}

/** Renders what one of the app's guards or hooks threw: its own status, and a code a client can tell it by. */
export function renderHttpException(error: HttpException): ProblemResponse {
  const status = error.getStatus();
  const code = status === 401 ? 'unauthenticated' : status === 403 ? 'forbidden' : 'refused';
  return problemResponse({ code, message: messageOf(error), details: {} }, status);
}

function problemResponse(
  error: Pick<UploadError, 'code' | 'message' | 'details'>,
  status: number,
): ProblemResponse {
  const { code, message, details } = error;
  const headers: Record<string, string> = {
    'Content-Type': 'application/problem+json',
    'Cache-Control': 'no-store',
  };
  if (details.retryAfter !== undefined) headers['Retry-After'] = String(details.retryAfter);
  if (details.challenge !== undefined) headers['WWW-Authenticate'] = details.challenge;
  if (details.allow !== undefined) headers.Allow = details.allow.join(', ');
  if (details.offset !== undefined) headers['Upload-Offset'] = String(details.offset);
  const body: Problem = {
    type: `urn:nestjs-chunked-upload:problem:${code}`,
    title: titleOf(code),
    status,
    detail: message,
    code,
    ...(details.offset !== undefined && { offset: details.offset }),
    ...(details.expectedOffset !== undefined && { expected_offset: details.expectedOffset }),
    ...(details.providedOffset !== undefined && { provided_offset: details.providedOffset }),
    ...(details.limitBytes !== undefined && { limit_bytes: details.limitBytes }),
    ...(details.retryAfter !== undefined && { retry_after: details.retryAfter }),
    ...(details.algorithms !== undefined && { algorithms: details.algorithms }),
  };
  return { status, headers, body };
}

/** `offset_mismatch` → `Offset mismatch`. */
function titleOf(code: string): string {
  const words = code.replaceAll('_', ' ');
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}`;
}

/** Nest keeps the messages of a validation in the response body. */
function messageOf(error: HttpException): string {
  const response = error.getResponse();
  if (typeof response === 'string') return response;
  const { message } = response as { message?: unknown };
  return Array.isArray(message) ? message.join('; ') : error.message;
}
