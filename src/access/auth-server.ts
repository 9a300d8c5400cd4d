import { UploadError } from '../errors/upload-error.js';
import { InvalidOptionError, show, timer } from '../option-values.js';
import type { Duration } from '../upload-options.js';

/** Somebody another system knows; `id`, or else `sub`, says who. */
export interface ExternalUser {
  readonly id?: unknown;
  readonly sub?: unknown;
  readonly [attribute: string]: unknown;
}

/** What proves who is calling, as the client sent it. */
export interface ForwardedCredentials {
  readonly authorization?: string;
  readonly cookie?: string;
}

/** More than any description of a user needs. */
const MAX_ANSWER_BYTES = 65_536;

/** A server that knows who a request comes from: 2xx with a JSON object, or 401 or 403. */
export class AuthServer {
  private readonly url: string;
  private readonly timeoutMs: number;

  /** @throws InvalidOptionError */
  constructor(url: string, timeout: Duration) {
    if (!/^https?:\/\//i.test(url) || !URL.canParse(url)) {
      throw new InvalidOptionError(`url must be like 'https://auth.example.com/me', not ${show(url)}.`);
    }
    this.url = url;
    this.timeoutMs = timer('timeout', timeout);
  }

  /**
   * Whom the server takes the caller for; null when it says nobody.
   * @throws Error when it gives no answer that says either, in time.
   */
  async ask(credentials: ForwardedCredentials): Promise<ExternalUser | null> {
    const response = await fetch(this.url, {
      headers: { Accept: 'application/json', ...credentials },
      // The credentials are for the configured server and for no other.
      redirect: 'manual',
      signal: AbortSignal.timeout(this.timeoutMs),
    });
    if (!response.ok) {
      await response.body?.cancel();
      if (response.status === 401 || response.status === 403) return null;
      throw new Error(`${this.url} answered ${response.status}.`);
    }
    const user: unknown = JSON.parse(await readText(response));
    if (!isUser(user)) throw new Error(`${this.url} named no user: its answer has neither "id" nor "sub".`);
    return user;
  }
}

/** What the client is told when nobody can say who it is: not let in, and not to blame. */
export function authUnavailable(cause: unknown): UploadError {
  const message = 'Who is calling cannot be found out now. Try the same request again.';
  return new UploadError('auth_unavailable', message, { cause, retryAfter: 2 });
}

function isUser(value: unknown): value is ExternalUser {
  if (typeof value !== 'object' || value === null) return false;
  const { id, sub } = value as ExternalUser;
  const name = id ?? sub;
  return (typeof name === 'string' && name !== '') || Number.isSafeInteger(name);
}

async function readText({ body }: Response): Promise<string> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of (body ?? []) as AsyncIterable<Uint8Array>) {
    length += piece.byteLength;
    if (length > MAX_ANSWER_BYTES) throw new Error(`The answer has more than ${MAX_ANSWER_BYTES} bytes.`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}
