import { ChunkSizer } from './chunk-sizer.js';
import type { ChunkedUploadOptions, RetryOptions } from './client-options.js';
import type { Piece, Platform } from './platform.js';
import type { ResumeStore } from './resume-store.js';

/** Options with every default filled in and every address absolute. */
export interface ResolvedOptions extends Pick<
  ChunkedUploadOptions,
  'filename' | 'contentType' | 'owner' | 'headers' | 'chunkBytes' | 'size' | 'signal'
> {
  readonly endpoint: string;
  readonly uploadUrl: string | null;
  readonly userId: string | null;
  readonly store: ResumeStore | null;
  readonly checksum: NonNullable<ChunkedUploadOptions['checksum']>;
  readonly retry: Required<RetryOptions>;
  readonly timeoutMs: number;
  readonly withCredentials: boolean;
}

const RETRY: Required<RetryOptions> = { maxAttempts: 10, minDelayMs: 500, maxDelayMs: 30_000 };

/** @throws TypeError for an address that is none, RangeError for chunk sizes that are none. */
export function resolveOptions<Part extends Piece>(
  options: ChunkedUploadOptions,
  { baseUrl, defaultStore }: Pick<Platform<never, Part>, 'baseUrl' | 'defaultStore'>,
): ResolvedOptions {
  const { uploadUrl, store = defaultStore() } = options;
  // A mistake should show where it was made, not when the first chunk is due.
  new ChunkSizer(options.chunkBytes);
  return {
    ...options,
    endpoint: new URL(options.endpoint, baseUrl).href,
    uploadUrl: uploadUrl === undefined ? null : new URL(uploadUrl, baseUrl).href,
    userId: options.userId ?? null,
    store: store || null,
    checksum: options.checksum ?? 'auto',
    retry: { ...RETRY, ...options.retry },
    timeoutMs: options.timeoutMs ?? 60_000,
    withCredentials: options.withCredentials ?? false,
  };
}
