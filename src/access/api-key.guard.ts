import { type CanActivate, type ExecutionContext, Inject, Injectable, Optional } from '@nestjs/common';
import { isUtf8 } from 'node:buffer';
import { ApiKeyService } from './api-key.service.js';
import { challengeOf, unauthenticated } from './challenge.js';
import { type GuardedRequest, singleValue, targetOf } from './request-target.js';

/** Options of {@link ApiKeyGuard}. */
export interface ApiKeyOptions {
  /** Also takes `?username=…&api_key=…`. Urls end up in logs and histories: for old clients only. @default false */
  readonly allowQuery?: boolean;
  /** Realm of the challenge; printable ASCII. @default 'uploads' */
  readonly realm?: string;
}

/** Injection token of the {@link ApiKeyOptions} that `guards: [ApiKeyGuard]` works with. */
export const API_KEY_OPTIONS = Symbol('API_KEY_OPTIONS');

interface Credentials {
  readonly user: string;
  readonly key: string;
}

/**
 * User name and API key, as `Authorization: ApiKey <user>:<key>` or in the headers `X-Api-User` and `X-Api-Key`;
 * sets `request.user.id` to the user name. Use it over TLS only, with `UploadApiKeysModule`.
 * @throws UploadError `unauthenticated`, with the challenge; `database_unavailable`.
 */
@Injectable()
export class ApiKeyGuard implements CanActivate {
  private readonly allowQuery: boolean;
  private readonly challenge: string;

  /** @throws InvalidOptionError for a realm that no header can hold. */
  constructor(
    @Inject(ApiKeyService) private readonly keys: Pick<ApiKeyService, 'verify'>,
    @Optional() @Inject(API_KEY_OPTIONS) { allowQuery = false, realm = 'uploads' }: ApiKeyOptions = {},
  ) {
    this.allowQuery = allowQuery;
    this.challenge = challengeOf('ApiKey', realm);
  }

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<GuardedRequest>();
    const credentials = inAuthorization(request) ?? inHeaders(request) ?? this.inQuery(request);
    const holder = credentials && (await this.keys.verify(credentials.key, credentials.user));
    if (!holder) throw unauthenticated('Wrong user name or API key.', this.challenge);
    request.user = { id: holder.userId };
    return true;
  }

  private inQuery(request: GuardedRequest): Credentials | null {
    if (!this.allowQuery) return null;
    const { query } = targetOf(request);
    const user = singleValue(query, 'username');
    const key = singleValue(query, 'api_key');
    return user === undefined || key === undefined ? null : { user, key };
  }
}

/** Names may have colons, keys have none. */
function inAuthorization({ headers }: GuardedRequest): Credentials | null {
  const pair = /^ApiKey +(.+)$/i.exec(headers.authorization ?? '')?.[1] ?? '';
  const colon = pair.lastIndexOf(':');
  return colon < 0 ? null : { user: headerName(pair.slice(0, colon)), key: pair.slice(colon + 1) };
}

function inHeaders({ headers }: GuardedRequest): Credentials | null {
  const { 'x-api-user': user, 'x-api-key': key } = headers;
  return typeof user === 'string' && typeof key === 'string' ? { user: headerName(user), key } : null;
}

/** Node reads headers as Latin-1, which is what `fetch` sends; curl sends what the terminal does, UTF-8. */
function headerName(value: string): string {
  const bytes = Buffer.from(value, 'latin1');
  return isUtf8(bytes) ? bytes.toString('utf8') : value;
}
