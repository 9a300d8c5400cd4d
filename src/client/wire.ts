import { ChunkedUploadError, type UploadProblem } from './chunked-upload-error.js';
import type { HeaderSource, UploadHeaders } from './client-options.js';
import { actionFor } from './error-table.js';
import { objectIn } from './json-body.js';
import type { HttpAnswer, HttpRequest, Piece, Platform } from './platform.js';

/** What differs from request to request. */
export interface WireRequest<Part extends Piece> {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  readonly url: string;
  readonly headers?: UploadHeaders;
  readonly body?: Part | string;
  readonly onProgress?: (bytes: number) => void;
  readonly signal: AbortSignal;
}

/** What all requests of an upload have in common. */
export interface WireOptions {
  readonly headers?: HeaderSource | undefined;
  readonly timeoutMs: number;
  readonly withCredentials: boolean;
}

const UNAUTHENTICATED = 'unauthenticated';

/** Sends requests with the app's headers, and turns refusals into errors. */
export class Wire<Part extends Piece> {
  readonly #platform: Platform<never, Part>;
  readonly #options: WireOptions;

  constructor(platform: Platform<never, Part>, options: WireOptions) {
    this.#platform = platform;
    this.#options = options;
  }

  /**
   * Sends a request; once more with new headers when nobody was signed in.
   * @throws ChunkedUploadError for whatever is no success, and the signal's reason when it is aborted.
   */
  async send(request: WireRequest<Part>): Promise<HttpAnswer> {
    try {
      return await this.#try(request, 'request');
    } catch (error) {
      const { code } = error as Partial<ChunkedUploadError>;
      if (code !== UNAUTHENTICATED || typeof this.#options.headers !== 'function') throw error;
      return this.#try(request, 'unauthorized');
    }
  }

  async #try(
    { headers, body, signal, ...rest }: WireRequest<Part>,
    reason: 'request' | 'unauthorized',
  ): Promise<HttpAnswer> {
    const common = await this.#headers(reason);
    signal.throwIfAborted();
    const request: HttpRequest<Part> = {
      ...rest,
      ...this.#options,
      body: body ?? null,
      signal,
      headers: { Accept: 'application/json', ...headers, ...common },
    };
    const answer = await this.#platform.send(request).catch((cause: unknown) => {
      signal.throwIfAborted();
      if (cause instanceof ChunkedUploadError) throw cause;
      throw new ChunkedUploadError('network', 'No answer.', { cause, isRetryable: true });
    });
    if (answer.status < 300) return answer;
    throw refusalIn(answer);
  }

  async #headers(reason: 'request' | 'unauthorized'): Promise<UploadHeaders> {
    const { headers = {} } = this.#options;
    if (typeof headers !== 'function') return headers;
    try {
      return await headers(reason);
    } catch (cause) {
      throw new ChunkedUploadError('headers_failed', `headers(): ${String(cause)}`, { cause });
    }
  }
}

function refusalIn(answer: HttpAnswer): ChunkedUploadError {
  const { status } = answer;
  const problem = objectIn(answer.text) as UploadProblem;
  // Gateways have names of their own for it.
  const code = status === 401 ? UNAUTHENTICATED : (problem.code ?? 'http');
  const retryAfter = problem.retry_after ?? secondsIn(answer.header('Retry-After'));
  const action = actionFor({ code, status });
  return new ChunkedUploadError(code, problem.detail ?? `The server answered ${status}.`, {
    status,
    problem,
    retryAfter,
    isRetryable: action === 'retry' || action === 'seek',
  });
}

/** `Retry-After` is a number of seconds or a date. */
export function secondsIn(header: string | null): number | undefined {
  if (header === null) return undefined;
  const seconds = Number(header);
  return seconds >= 0 ? seconds : Math.max(0, (Date.parse(header) - Date.now()) / 1000) || undefined;
}
