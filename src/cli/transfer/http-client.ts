import { ChunkedUploadError, type UploadProblem } from '../../client/chunked-upload-error.js';
import { actionFor } from '../../client/error-table.js';
import { secondsIn } from '../../client/wire.js';
import type { Headers } from './server-access.js';

/** A request or an answer that does not move for so long is given up. */
const IDLE_MS = 60_000;

/** An answer whose body is still to come. */
export interface OpenAnswer {
  readonly status: number;
  header(name: string): string | null;
  /** Its bytes. @throws ChunkedUploadError `network` when it breaks off. */
  body(): AsyncGenerator<Buffer>;
}

/** Asks a server, and turns refusals into errors. */
export class HttpClient {
  constructor(
    private readonly headers: Headers,
    private readonly signal: AbortSignal,
  ) {}

  /**
   * @throws ChunkedUploadError for whatever is no success: by the code of its problem+json, `http` without one, `network`
   *   without an answer.
   */
  async get(url: URL, { method = 'GET', ...headers }: Headers = {}): Promise<OpenAnswer> {
    const watch = new IdleWatch();
    try {
      const answer = await fetch(url, {
        method,
        // Bytes are counted and continued: nobody on the way may compress them.
        headers: { 'Accept-Encoding': 'identity', ...headers, ...this.headers },
        // `fetch` would take headers such as X-Api-Key along to another server.
        redirect: 'manual',
        signal: AbortSignal.any([this.signal, watch.signal]),
      });
      if (!answer.ok) throw await refusal(answer);
      watch.pause();
      return {
        status: answer.status,
        header: (name) => answer.headers.get(name),
        body: () => this.bytesOf(answer, watch),
      };
    } catch (error) {
      watch.end();
      throw this.translated(error);
    }
  }

  private async *bytesOf(answer: Response, watch: IdleWatch): AsyncGenerator<Buffer> {
    watch.goOn();
    try {
      for await (const piece of answer.body ?? []) {
        watch.moved();
        yield Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
      }
    } catch (error) {
      throw this.translated(error);
    } finally {
      watch.end();
    }
  }

  private translated(error: unknown): unknown {
    if (this.signal.aborted || error instanceof ChunkedUploadError) return error;
    return networkError(error);
  }
}

/** No answer, or one that broke off. */
export function networkError(cause?: unknown): ChunkedUploadError {
  const message = 'The server did not answer, or the connection broke.';
  return new ChunkedUploadError('network', message, { cause, isRetryable: true });
}

/** Ends what does not move. */
class IdleWatch {
  private readonly controller = new AbortController();
  private readonly timer = setTimeout(() => this.controller.abort(), IDLE_MS);

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** The answer began: whoever never reads it does not keep the process. */
  pause(): void {
    this.timer.unref();
  }

  goOn(): void {
    this.timer.ref();
    this.timer.refresh();
  }

  moved(): void {
    this.timer.refresh();
  }

  end(): void {
    clearTimeout(this.timer);
  }
}

async function refusal(answer: Response): Promise<ChunkedUploadError> {
  const { status } = answer;
  const problem = (await answer.json().catch(() => ({}))) as UploadProblem | null;
  // Gateways have names of their own for it.
  const code = status === 401 ? 'unauthenticated' : (problem?.code ?? 'http');
  const action = actionFor({ code, status });
  return new ChunkedUploadError(code, problem?.detail ?? `The server answered ${status}.`, {
    status,
    retryAfter: secondsIn(answer.headers.get('Retry-After')),
    isRetryable: action === 'retry' || action === 'seek',
  });
}
