import { type CanActivate, type ExecutionContext, Inject, Injectable, Optional } from '@nestjs/common';
import { duration, InvalidOptionError, show } from '../option-values.js';
import type { Duration } from '../upload-options.js';
import { ApiKeyService, type SignedText } from './api-key.service.js';
import { unauthenticated } from './challenge.js';
import { type GuardedRequest, type RequestTarget, singleValue, targetOf } from './request-target.js';

/** Options of {@link SignedQueryGuard}. */
export interface SignedQueryOptions {
  /** How far `timestamp` may be from the server's clock, in the past and in the future. @default '5m' */
  readonly replayWindow?: Duration;
  /** Names of query parameters that the signature covers too, where they are given. @default [] */
  readonly signedParameters?: readonly string[];
}

/** Injection token of the {@link SignedQueryOptions} that `guards: [SignedQueryGuard]` works with. */
export const SIGNED_QUERY_OPTIONS = Symbol('SIGNED_QUERY_OPTIONS');

const OWN_PARAMETERS = ['api_key', 'timestamp', 'signature'];
/** Whole seconds since 1970, in the one spelling that was signed. */
const TIMESTAMP_PATTERN = /^(0|[1-9]\d{0,11})$/;

/**
 * Signed urls: `?api_key=<id of the key>&timestamp=<seconds>&signature=<hex>`, where the signature is HMAC-SHA-256
 * over method, path and timestamp; `docs/access.md` has it to the letter. The key itself never travels. Sets
 * `request.user.id` to the user the key belongs to. Needs `UploadApiKeysModule`.
 * @throws UploadError `unauthenticated`, `database_unavailable`.
 */
@Injectable()
export class SignedQueryGuard implements CanActivate {
  private readonly replayWindowMs: number;
  private readonly signedParameters: readonly string[];

  /** @throws InvalidOptionError */
  constructor(
    @Inject(ApiKeyService) private readonly keys: Pick<ApiKeyService, 'verifySignature'>,
    @Optional()
    @Inject(SIGNED_QUERY_OPTIONS)
    { replayWindow = '5m', signedParameters = [] }: SignedQueryOptions = {},
  ) {
    const own = signedParameters.find((name) => OWN_PARAMETERS.includes(name));
    if (own !== undefined) throw new InvalidOptionError(`signedParameters must not have ${show(own)}.`);
    this.replayWindowMs = duration('replayWindow', replayWindow);
    this.signedParameters = [...new Set(signedParameters)].sort();
  }

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<GuardedRequest>();
    const signed = this.signedBy(request.method, targetOf(request));
    const holder = signed && (await this.keys.verifySignature(signed));
    if (!holder) throw unauthenticated('The signature is missing, wrong or too old.');
    request.user = { id: holder.userId };
    return true;
  }

  private signedBy(method: string, { path, query }: RequestTarget): SignedText | null {
    const [keyId, timestamp, signature] = OWN_PARAMETERS.map((name) => singleValue(query, name));
    if (keyId === undefined || timestamp === undefined || signature === undefined) return null;
    if (!this.isRecent(timestamp)) return null;
    const given = this.signedParameters.filter((name) => query.has(name));
    if (given.some((name) => singleValue(query, name) === undefined)) return null;
    const parameters = given.map((name) => `${name}=${encodeURIComponent(query.get(name) ?? '')}`);
    return { keyId, signature, text: [method, path, timestamp, ...parameters].join('\n') };
  }

  private isRecent(timestamp: string): boolean {
    if (!TIMESTAMP_PATTERN.test(timestamp)) return false;
    return Math.abs(Date.now() - Number(timestamp) * 1000) <= this.replayWindowMs;
  }
}
