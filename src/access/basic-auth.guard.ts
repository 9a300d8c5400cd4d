import { timingSafeEqual } from 'node:crypto';
import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { InvalidOptionError, show } from '../option-values.js';
import { challengeOf, unauthenticated } from './challenge.js';
import type { GuardedRequest } from './request-target.js';
import { secretDigest } from './secret-digest.js';

/** Options of {@link BasicAuthGuard}. */
export interface BasicAuthOptions {
  /** Passwords by user name. Names have no colon (RFC 7617); neither names nor passwords are empty. */
  readonly users: Readonly<Record<string, string>>;
  /** Shown by browsers when they ask for the password; printable ASCII. @default 'uploads' */
  readonly realm?: string;
}

const NO_PASSWORD = secretDigest('');

/**
 * HTTP Basic authentication (RFC 7617) for apps that have none of their own: sets `request.user.id` to the user name.
 * Use it over TLS only.
 * @throws UploadError `unauthenticated`, with the challenge.
 */
export class BasicAuthGuard implements CanActivate {
  private readonly digests: ReadonlyMap<string, Buffer>;
  private readonly challenge: string;

  /** @throws InvalidOptionError for a user who could never sign in, or without a password. */
  constructor({ users, realm = 'uploads' }: BasicAuthOptions) {
    this.digests = new Map(Object.entries(users).map(([name, password]) => digestedUser(name, password)));
    this.challenge = `${challengeOf('Basic', realm)}, charset="UTF-8"`;
  }

  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<GuardedRequest>();
    const { name, password } = credentialsOf(request.headers.authorization);
    // Compared even for an unknown user, in constant time: the answer's timing tells nothing.
    const isPassword = timingSafeEqual(secretDigest(password), this.digests.get(name) ?? NO_PASSWORD);
    if (!isPassword || !this.digests.has(name)) {
      throw unauthenticated('Wrong user name or password.', this.challenge);
    }
    request.user = { id: name };
    return true;
  }
}

function digestedUser(name: string, password: string): [string, Buffer] {
  if (name === '' || name.includes(':')) {
    throw new InvalidOptionError(
      `users must have names that are not empty and have no colon, not ${show(name)}.`,
    );
  }
  if (password === '') throw new InvalidOptionError(`users must have passwords, and ${show(name)} has none.`);
  return [name.normalize('NFC'), secretDigest(password.normalize('NFC'))];
}

/** The challenge asks for UTF-8 in Normalization Form C (RFC 7617 section 2.1); not every client normalizes. */
function credentialsOf(header: string | undefined): { name: string; password: string } {
  const encoded = /^Basic +([A-Za-z0-9+/]+={0,2}) *$/i.exec(header ?? '')?.[1] ?? '';
  const decoded = Buffer.from(encoded, 'base64').toString('utf8').normalize('NFC');
  const colon = decoded.indexOf(':');
  return colon < 0
    ? { name: '', password: '' }
    : { name: decoded.slice(0, colon), password: decoded.slice(colon + 1) };
}
