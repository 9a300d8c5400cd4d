import { UploadError } from '../errors/upload-error.js';
import type { Caller } from '../engine/upload-commands.js';

/** How callers are told apart. */
export interface CallerPolicy {
  readonly resolveUser: (request: unknown) => string | null | Promise<string | null>;
  readonly userRestricted: boolean;
  readonly anonymous: boolean;
}

/**
 * Who is calling, after the app's guards have let the request pass.
 * @throws UploadError `unauthenticated` when nobody is signed in and `anonymous` is off.
 */
export async function resolveCaller(policy: CallerPolicy, request: unknown): Promise<Caller> {
  const userId: unknown = await policy.resolveUser(request);
  const isId = typeof userId === 'string' || typeof userId === 'number' || typeof userId === 'bigint';
  if (isId && userId !== '') return { userId: String(userId), restricted: policy.userRestricted, request };
  if (!policy.anonymous) throw new UploadError('unauthenticated', 'Sign in to upload.');
  return { userId: null, restricted: policy.userRestricted, request };
}

/** The default `resolveUser`: `id`, or else `sub`, of the `request.user` that most guards set. */
export function userOfRequest(request: unknown): string | null {
  const { user } = request as { user?: { id?: unknown; sub?: unknown } | null };
  const id = user?.id ?? user?.sub ?? null;
  return id as string | null;
}
