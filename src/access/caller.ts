import { UploadError } from '../errors/upload-error.js';
import type { Caller } from '../engine/upload-commands.js';
import type { HookContext } from '../engine/upload-hooks.interface.js';
import type { UploadLimits } from '../engine/upload-policy.js';

/** How callers are told apart, and what each may see and send. */
export interface CallerPolicy {
  readonly resolveUser: (request: unknown) => string | null | Promise<string | null>;
  /** Whether the uploads of others do not exist for a caller. */
  readonly isRestricted: (context: HookContext) => boolean | Promise<boolean>;
  readonly limits: (context: HookContext) => UploadLimits | Promise<UploadLimits>;
  readonly anonymous: boolean;
}

/**
 * Who is calling, after the app's guards have let the request pass.
 * @throws UploadError `unauthenticated` when nobody is signed in and `anonymous` is off.
 */
export async function resolveCaller(policy: CallerPolicy, request: unknown): Promise<Caller> {
  const userId = idOf(await policy.resolveUser(request));
  if (userId === null && !policy.anonymous) throw new UploadError('unauthenticated', 'Sign in to upload.');
  const context = { userId, request };
  return { ...context, restricted: await policy.isRestricted(context), limits: await policy.limits(context) };
}

function idOf(value: unknown): string | null {
  const isId = typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint';
  return isId && value !== '' ? String(value) : null;
}

/** The default `resolveUser`: `id`, or else `sub`, of the `request.user` that most guards set. */
export function userOfRequest(request: unknown): string | null {
  const { user } = request as { user?: { id?: unknown; sub?: unknown } | null };
  const id = user?.id ?? user?.sub ?? null;
  return id as string | null;
}
