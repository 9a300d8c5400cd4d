import type { CorsOptions, CustomOrigin } from '@nestjs/common/interfaces/external/cors-options.interface.js';
import { duration, InvalidOptionError, show } from './option-values.js';
import type { Duration } from './upload-options.js';

/** Which pages of other origins may upload from a browser, and how. */
export interface UploadCorsOptions {
  /**
   * Origins of the pages: `https://app.example.com`, a pattern with `^` and `$`, several of both, or a function as
   * Nest takes it. `*` is every page there is.
   */
  readonly origin: string | RegExp | readonly (string | RegExp)[] | CustomOrigin;
  /** @default every method an upload route knows */
  readonly methods?: readonly string[];
  /**
   * Request headers a page may send. Uploaders need `Content-Range`, `Content-Disposition` and `Content-Type`, and what
   * they sign in by.
   * @default those the page asks for
   */
  readonly headers?: readonly string[];
  /** Whether browsers send cookies, and let pages read answers to requests with them. Not with `*`. @default false */
  readonly credentials?: boolean;
  /** How long a browser remembers that it may, so that it does not ask ahead of each chunk. @default '10m' */
  readonly maxAge?: Duration;
  /** Response headers a page may read besides those that upload routes send. @default none */
  readonly exposedHeaders?: readonly string[];
}

/** PATCH is refused by upload routes, which a page should be able to read. */
const METHODS = ['DELETE', 'GET', 'HEAD', 'PATCH', 'POST', 'PUT'];

/** Response headers that uploaders steer by, but those that browsers show anyway. */
const EXPOSED_HEADERS = [
  'Accept-Ranges',
  'Content-Disposition',
  'Content-Range',
  'ETag',
  'Location',
  'Range',
  'Retry-After',
  'Upload-Length',
  'Upload-Offset',
  'Want-Repr-Digest',
  'WWW-Authenticate',
];

/** What Express and Fastify are given. */
export type ResolvedCors = CorsOptions & {
  /** Fastify would answer 400 to an OPTIONS that is no preflight. */
  readonly strictPreflight: false;
};

/**
 * Options for Nest's `enableCors`, the same on Express and Fastify. Nest's own defaults hide `Location`, `Range` and
 * `Upload-Offset` from pages, and on Fastify refuse PUT and DELETE. Preflights are answered before guards run.
 * @throws InvalidOptionError for an origin no browser sends, an open-ended pattern, and credentials with `*`.
 * @example app.enableCors(uploadCors({ origin: 'https://app.example.com' }))
 */
export function uploadCors(options: UploadCorsOptions): ResolvedCors {
  const { methods = METHODS, headers, credentials = false, maxAge = '10m', exposedHeaders = [] } = options;
  const origin = resolveOrigin(options.origin);
  if (credentials && origin === '*') {
    throw new InvalidOptionError(
      "cors credentials need origins by name: with '*' any page a user opens could upload as that user.",
    );
  }
  return {
    origin,
    methods: [...methods],
    ...(headers && { allowedHeaders: [...headers] }),
    exposedHeaders: [...EXPOSED_HEADERS, ...exposedHeaders],
    credentials,
    maxAge: Math.floor(duration('cors maxAge', maxAge, 0) / 1000),
    strictPreflight: false,
  };
}

/** Always a list, since Express and Fastify name a single origin even to pages of another one. */
function resolveOrigin(origin: UploadCorsOptions['origin']): '*' | (string | RegExp)[] | CustomOrigin {
  if (typeof origin === 'function') return origin;
  const origins = [origin].flat() as readonly (string | RegExp)[];
  if (origins.length === 0) throw new InvalidOptionError('cors origin must name an origin.');
  for (const each of origins) checkOrigin(each);
  return origins.includes('*') ? '*' : [...origins];
}

function checkOrigin(origin: string | RegExp): void {
  if (origin instanceof RegExp) {
    if (origin.source.startsWith('^') && origin.source.endsWith('$')) return;
    throw new InvalidOptionError(
      `cors origin ${String(origin)} must begin with ^ and end with $: others could have it in their name.`,
    );
  }
  if (typeof origin === 'string' && (origin === '*' || isOrigin(origin))) return;
  throw new InvalidOptionError(
    `cors origin must be as browsers send it, e.g. 'https://app.example.com', not ${show(origin)}.`,
  );
}

/** Scheme, host and port as a browser writes them; apps in a web view have schemes of their own. */
function isOrigin(text: string): boolean {
  if (!/^[a-z][a-z\d+.-]*:\/\/[^/\s?#]+$/.test(text) || !URL.canParse(text)) return false;
  return !/^https?:/.test(text) || new URL(text).origin === text;
}
