import type { UploadCorsOptions } from '../upload-cors.js';
import { BootError } from './boot-error.js';
import * as parse from './environment-parsers.js';
import type { EnvironmentVariable } from './environment-variable.js';

const origin = parse.matching(/^(\*|https?:\/\/[^/\s]+)$/, 'origins with commas between, or *');
const method = parse.matching(/^[A-Z]+$/, 'methods in capitals with commas between');
const header = parse.matching(/^[\w!#$%&'*+.^`|~-]+$/, 'names of headers with commas between');

/** Variables about pages of other origins. */
export const CORS_VARIABLES = {
  CORS_ORIGIN: {
    about: 'Origins whose pages may upload from a browser; * for all.',
    example: 'https://app.example.com',
    unset: 'none but the own',
    parse: parse.list(origin),
  },
  CORS_METHODS: {
    about: 'Methods those pages may use.',
    example: 'DELETE,GET,POST,PUT',
    unset: 'all there are',
    parse: parse.list(method),
  },
  CORS_HEADERS: {
    about: 'Request headers those pages may send.',
    example: 'Authorization,Content-Disposition,Content-Range,Content-Type',
    unset: 'those they ask for',
    parse: parse.list(header),
  },
  CORS_CREDENTIALS: {
    about:
      'Whether those pages may upload with the cookies or the sign-in of their user; not with CORS_ORIGIN=*.',
    example: 'true',
    unset: 'false',
    parse: parse.flag,
  },
  CORS_MAX_AGE: {
    about: 'How long a browser remembers what those pages may do.',
    example: '1h',
    unset: '10m',
    parse: parse.duration(0),
  },
} as const satisfies Record<string, EnvironmentVariable>;

/** What the variables say; undefined where they are unset. */
export type CorsValues = {
  readonly [Name in keyof typeof CORS_VARIABLES]:
    ReturnType<(typeof CORS_VARIABLES)[Name]['parse']> | undefined;
};

/**
 * The options of `uploadCors`; undefined where no other origin is let in.
 * @throws BootError for a setting that would do nothing, and for credentials with `*`.
 */
export function corsOptions(values: CorsValues): UploadCorsOptions | undefined {
  const { CORS_ORIGIN, CORS_METHODS, CORS_HEADERS, CORS_CREDENTIALS, CORS_MAX_AGE } = values;
  const set = Object.keys(CORS_VARIABLES).filter((name) => values[name as keyof CorsValues] !== undefined);
  if (!CORS_ORIGIN) {
    if (set.length === 0) return undefined;
    throw corsError(`${set.join(' and ')} without CORS_ORIGIN would do nothing.`);
  }
  if (CORS_CREDENTIALS && CORS_ORIGIN.includes('*')) {
    throw corsError(
      'CORS_CREDENTIALS=true with CORS_ORIGIN=* would let any page a user opens upload as that user.',
    );
  }
  return {
    origin: CORS_ORIGIN,
    ...(CORS_METHODS && { methods: CORS_METHODS }),
    ...(CORS_HEADERS && { headers: CORS_HEADERS }),
    ...(CORS_CREDENTIALS !== undefined && { credentials: CORS_CREDENTIALS }),
    ...(CORS_MAX_AGE !== undefined && { maxAge: CORS_MAX_AGE }),
  };
}

function corsError(message: string): BootError {
  return new BootError(message, [
    'Name the origins:  CORS_ORIGIN=https://app.example.com,https://www.example.com',
  ]);
}
