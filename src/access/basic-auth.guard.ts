import { createHash, timingSafeEqual } from 'node:crypto';
import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { UploadError } from '../errors/upload-error.js';

/** Options of {@link BasicAuthGuard}. */
export interface BasicAuthOptions {
  /** Passwords by user name. */
  readonly users: Readonly<Record<string, string>>;
  /** Shown by browsers when they ask for the password. @default 'uploads' */
  readonly realm?: string;
}

interface BasicRequest {
  readonly headers: Readonly<Record<string, string | undefined>>;
  user?: { id: string };
}

/**
 * HTTP Basic authentication (RFC 7617) for apps that have none of their own: sets `request.user.id` to the user name.
 * Use it over TLS only.
 * @throws UploadError `unauthenticated`, with the challenge.
 */
export class BasicAuthGuard implements CanActivate {
  private readonly digests: ReadonlyMap<string, Buffer>;
  private readonly challenge: string;

  constructor({ users, realm = 'uploads' }: BasicAuthOptions) {
    this.digests = new Map(Object.entries(users).map(([name, password]) => [name, digest(password)]));
    this.challenge = `Basic realm="${realm}", charset="UTF-8"`;
  }

  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<BasicRequest>();
    const { name, password } = credentialsOf(request.headers.authorization);
    // Compared even for an unknown user, in constant time: the answer's timing tells nothing.
    const isPassword = timingSafeEqual(digest(password), this.digests.get(name) ?? digest(''));
    if (!isPassword || !this.digests.has(name)) {
      throw new UploadError('unauthenticated', 'Wrong user name or password.', { challenge: this.challenge });
    }
    request.user = { id: name };
    return true;
  }
}

function digest(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}

function credentialsOf(header: string | undefined): { name: string; password: string } {
  const encoded = /^Basic +([A-Za-z0-9+/]+={0,2}) *$/i.exec(header ?? '')?.[1] ?? '';
  const decoded = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = decoded.indexOf(':');
  return colon < 0
    ? { name: '', password: '' }
    : { name: decoded.slice(0, colon), password: decoded.slice(colon + 1) };
}
