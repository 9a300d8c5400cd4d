import type { UploadLimits } from '../engine/upload-policy.js';
import type { UploadType } from '../upload-type.js';

/** An upload type for administrators: its rules, with limits as they are for this caller; null where they have none. */
export async function renderType(
  { name, routes, cleanup, engine, door }: UploadType,
  request: unknown,
): Promise<object> {
  const { policy } = engine.context;
  return {
    type: name,
    routes,
    cleanup: cleanup === false ? null : cleanup,
    expires_in_seconds: policy.expiresInMs / 1000,
    checksums: policy.algorithms,
    durability: policy.durability,
    keeps_records: policy.keepRecords,
    max_open_uploads: finite(policy.quota?.uploads),
    max_open_bytes: finite(policy.quota?.bytes),
    limits: await limitsOf(door, request),
  };
}

async function limitsOf(door: UploadType['door'], request: unknown): Promise<object | null> {
  try {
    return renderLimits(await door.limits({ userId: await door.resolveUser(request), request }));
  } catch {
    // The app computes them for users of its own, and an administrator may be none.
    return null;
  }
}

function renderLimits(limits: UploadLimits): object {
  return {
    max_bytes: finite(limits.maxBytes),
    min_bytes: limits.minBytes,
    max_chunk_bytes: finite(limits.maxChunkBytes),
    allowed_extensions: limits.allowedExtensions,
    allowed_mime_types: limits.allowedMimeTypes,
  };
}

/** What is unlimited has no number. */
function finite(value: number | undefined): number | null {
  return value === undefined || value === Number.MAX_SAFE_INTEGER ? null : value;
}
