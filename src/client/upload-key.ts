import type { ChunkedUploadOptions } from './client-options.js';
import type { OpenSource, Piece, Platform } from './platform.js';

const PEEK_BYTES = 1024 * 1024;
const DEFAULT_NAME = 'upload';

/** Options that an upload is recognised by. */
export type UploadKeyOptions = Pick<ChunkedUploadOptions, 'endpoint' | 'filename' | 'userId' | 'owner'>;

/** What tells uploads apart, besides the file. */
export interface UploadIdentity {
  /** Absolute address. */
  readonly endpoint: string;
  readonly filename: string;
  readonly userId: string | null;
  readonly owner?: ChunkedUploadOptions['owner'];
}

/** The name a source is uploaded under. */
export function nameOf({ name }: { readonly name: string }, filename: string | undefined): string {
  return filename ?? (name || DEFAULT_NAME);
}

/**
 * Fingerprint under which an upload is remembered: name, size, modification time, first and last MiB, endpoint, user and owner.
 * Null for a stream, which cannot be recognised before it was read.
 */
export async function fingerprint<Part extends Piece>(
  { sha256 }: Pick<Platform<never, Part>, 'sha256'>,
  source: OpenSource<Part>,
  { endpoint, filename, userId, owner }: UploadIdentity,
): Promise<string | null> {
  const size = source.size ?? 0;
  const head = await source.peek(0, Math.min(size, PEEK_BYTES));
  const tail = await source.peek(Math.max(0, size - PEEK_BYTES), size);
  if (!head || !tail) return null;
  return sha256([JSON.stringify([endpoint, userId, filename, size, source.lastModified, owner]), head, tail]);
}

/** The same for a source that is not open. */
export async function keyOf<Source, Part extends Piece>(
  platform: Platform<Source, Part>,
  input: Source,
  options: UploadKeyOptions,
): Promise<string | null> {
  const source = await platform.open(input, undefined);
  const identity = {
    ...options,
    endpoint: new URL(options.endpoint, platform.baseUrl).href,
    filename: nameOf(source, options.filename),
    userId: options.userId ?? null,
  };
  return fingerprint(platform, source, identity).finally(() => source.close());
}
