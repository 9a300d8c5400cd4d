import { type CanActivate, type ExecutionContext, HttpException, Logger } from '@nestjs/common';
import { systemCode } from '../errors/system-code.js';
import { UploadError } from '../errors/upload-error.js';
import { AuthServer, authUnavailable, type ExternalUser, type ForwardedCredentials } from './auth-server.js';
import { headerText, unauthenticated } from './challenge.js';
import { CredentialsCache } from './credentials-cache.js';
import type { GuardedRequest } from './request-target.js';

interface CommonOptions {
  /**
   * Finds or creates the local user; what it returns, if anything, becomes `request.user`. May run several times at
   * once for one user. Null, and what it throws, refuse the request.
   */
  readonly provision?: (user: ExternalUser) => ProvisionedUser | Promise<ProvisionedUser>;
  /** `WWW-Authenticate` of a refusal, such as `Bearer`; without one it is a 403. @default none */
  readonly challenge?: string;
}

type ProvisionedUser = ExternalUser | null | undefined | void;

/** A callback that knows who is calling. */
export interface CallbackAuthOptions extends CommonOptions {
  /** The caller, or null. An HttpException or UploadError is the answer; anything else it throws is a 503. */
  readonly authenticate: (request: unknown) => ExternalUser | null | Promise<ExternalUser | null>;
}

/** A server that knows who is calling. */
export interface ServerAuthOptions extends CommonOptions {
  /** Gets the caller's `Authorization` and `Cookie`, and answers 200 with `{ "id": … }`, 401 or 403. */
  readonly url: string;
  /** Milliseconds, or such as `'5s'`, that the whole answer may take. @default '5s' */
  readonly timeout?: number | string;
  /**
   * Milliseconds that a user, as provisioned, is remembered without asking again: as long as somebody who signed out
   * may go on. Refusals and failures are never remembered. @default 0
   */
  readonly cacheMs?: number;
}

/** Options of {@link ExternalAuthGuard}. */
export type ExternalAuthOptions = CallbackAuthOptions | ServerAuthOptions;

/**
 * Asks somebody else who is calling: a callback, or a server by HTTP. Sets `request.user`. Whoever cannot be asked
 * lets nobody in.
 * @throws UploadError `unauthenticated`.
 * @throws ServiceUnavailableException when no answer was to be had.
 */
export class ExternalAuthGuard implements CanActivate {
  private readonly logger = new Logger('ChunkedUpload');
  private readonly challenge: string | undefined;
  private readonly identify: (request: GuardedRequest) => Promise<ExternalUser | null>;
  private readonly provision: CommonOptions['provision'];

  /** @throws InvalidOptionError */
  constructor(options: ExternalAuthOptions) {
    const { challenge, provision } = options;
    this.challenge = challenge === undefined ? undefined : headerText('challenge', challenge);
    this.provision = provision;
    this.identify = 'url' in options ? this.byServer(options) : this.byCallback(options);
  }

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<GuardedRequest>();
    const user = await this.identify(request);
    if (!user) throw unauthenticated('Sign in to upload.', this.challenge);
    request.user = user;
    return true;
  }

  private byCallback({ authenticate }: CallbackAuthOptions): typeof this.identify {
    return async (request) => this.provisioned(await this.answerOf(() => authenticate(request)));
  }

  private byServer({ url, timeout = '5s', cacheMs = 0 }: ServerAuthOptions): typeof this.identify {
    const server = new AuthServer(url, timeout);
    const cache = new CredentialsCache(cacheMs);
    return async ({ headers }) => {
      const credentials = credentialsOf(headers);
      // The server would be asked about nobody.
      if (Object.keys(credentials).length === 0) return null;
      const known = cache.get(credentials);
      if (known) return known;
      const user = await this.provisioned(await this.answerOf(() => server.ask(credentials)));
      if (user) cache.set(credentials, user);
      return user;
    };
  }

  private async provisioned(user: ExternalUser | null): Promise<ExternalUser | null> {
    if (!user || !this.provision) return user;
    const local = await this.provision(user);
    // Null is what a search returns that finds nobody: not this caller under the name they have elsewhere.
    return local === undefined ? user : local;
  }

  private async answerOf(
    ask: () => ExternalUser | null | Promise<ExternalUser | null>,
  ): Promise<ExternalUser | null> {
    try {
      return await ask();
    } catch (error) {
      if (error instanceof HttpException || UploadError.is(error)) throw error;
      this.logger.error(`Nobody can say who is calling: ${describe(error)}`);
      throw authUnavailable(error);
    }
  }
}

function credentialsOf({ authorization, cookie }: GuardedRequest['headers']): ForwardedCredentials {
  return { ...(authorization !== undefined && { authorization }), ...(cookie !== undefined && { cookie }) };
}

/** `fetch` says "fetch failed" and keeps the reason in its cause. */
function describe(error: unknown): string {
  const code = systemCode((error as { cause?: unknown } | null | undefined)?.cause);
  return code === undefined ? String(error) : `${String(error)} (${code})`;
}
