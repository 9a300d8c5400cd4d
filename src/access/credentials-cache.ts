import { duration } from '../option-values.js';
import type { Duration } from '../upload-options.js';
import type { ExternalUser, ForwardedCredentials } from './auth-server.js';
import { secretDigest } from './secret-digest.js';

/** More callers than one process serves within a cache's lifetime; beyond it the oldest entry goes. */
const MAX_ENTRIES = 10_000;

/** Remembers for a while who some credentials belong to; of the credentials only a digest. */
export class CredentialsCache {
  private readonly entries = new Map<string, { user: ExternalUser; until: number }>();
  private readonly lifetimeMs: number;

  /** @param lifetime 0 remembers nothing. @throws InvalidOptionError */
  constructor(lifetime: Duration) {
    this.lifetimeMs = duration('cacheMs', lifetime, 0);
  }

  get(credentials: ForwardedCredentials): ExternalUser | null {
    const entry = this.entries.get(keyOf(credentials));
    return entry && entry.until > performance.now() ? entry.user : null;
  }

  set(credentials: ForwardedCredentials, user: ExternalUser): void {
    if (this.lifetimeMs === 0) return;
    const key = keyOf(credentials);
    // Deleted first: a Map keeps the place of a key that is set again.
    this.entries.delete(key);
    const [oldest] = this.entries.keys();
    if (oldest !== undefined && this.entries.size >= MAX_ENTRIES) this.entries.delete(oldest);
    this.entries.set(key, { user, until: performance.now() + this.lifetimeMs });
  }
}

/** A list, so that no part of one header can pass for a part of the other. */
function keyOf({ authorization, cookie }: ForwardedCredentials): string {
  return secretDigest(JSON.stringify([authorization ?? null, cookie ?? null])).toString('hex');
}
