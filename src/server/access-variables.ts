import { BootError } from './boot-error.js';
import * as parse from './environment-parsers.js';
import type { EnvironmentVariable } from './environment-variable.js';

const text = parse.matching(/./, 'any text');

/** Variables about who may do what. */
export const ACCESS_VARIABLES = {
  CHUNKED_UPLOAD_AUTH: {
    about: 'How callers sign in: anonymous, basic, api-key, signed (urls) or external (another server).',
    example: 'external',
    unset: 'basic with CHUNKED_UPLOAD_USERS, anonymous without',
    parse: parse.oneOf(['anonymous', 'basic', 'api-key', 'signed', 'external']),
  },
  CHUNKED_UPLOAD_USERS: {
    about: 'basic: who may sign in, with passwords.',
    example: 'ann:secret1,ben:secret2',
    unset: 'no sign-in: everybody may upload',
    secret: true,
    parse: parse.pairs(text, text, 'name:password, with commas between'),
  },
  CHUNKED_UPLOAD_REPLAY_WINDOW: {
    about: "signed: how far a url's timestamp may be from the server's clock.",
    example: '1m',
    unset: '5m',
    parse: parse.duration(1),
  },
  CHUNKED_UPLOAD_AUTH_URL: {
    about:
      'external: the url that is asked, with Authorization and Cookie of the caller, and answers { "id": … }.',
    example: 'https://accounts.example.com/me',
    unset: 'none; external needs it',
    parse: parse.url('https:', 'http:'),
  },
  CHUNKED_UPLOAD_AUTH_TIMEOUT: {
    about: 'external: how long its answer may take.',
    example: '2s',
    unset: '5s',
    parse: parse.duration(1),
  },
  CHUNKED_UPLOAD_AUTH_CACHE: {
    about: 'external: how long a caller is remembered without asking again.',
    example: '10s',
    unset: '0: each request asks',
    parse: parse.duration(0),
  },
  CHUNKED_UPLOAD_AUTH_CHALLENGE: {
    about: 'external: WWW-Authenticate of a refusal, which then is a 401.',
    example: 'Bearer',
    unset: 'none; a refusal is a 403',
    parse: parse.matching(/^[\x20-\x7e]+$/, 'printable ASCII'),
  },
  CHUNKED_UPLOAD_ADMINS: {
    about: 'Turns the admin API and its board on: who may sign in to it (HTTP Basic), with passwords.',
    example: 'root:secret3',
    unset: 'no admin API',
    secret: true,
    parse: parse.pairs(text, text, 'name:password, with commas between'),
  },
  CHUNKED_UPLOAD_ADMIN_READ_ONLY: {
    about: 'Whether the admin API and its board only show.',
    example: 'true',
    unset: 'false',
    parse: parse.flag,
  },
  CHUNKED_UPLOAD_USER_RESTRICTED: {
    about: 'Whether the uploads of others do not exist for a user.',
    example: 'false',
    unset: 'true',
    parse: parse.flag,
  },
} as const satisfies Record<string, EnvironmentVariable>;

/** What the variables say; undefined where they are unset. */
export type AccessValues = {
  readonly [Name in keyof typeof ACCESS_VARIABLES]:
    ReturnType<(typeof ACCESS_VARIABLES)[Name]['parse']> | undefined;
};

/** How callers sign in. */
export type AccessEnvironment =
  | { readonly by: 'anonymous' | 'api-key' }
  /** Passwords by name. */
  | { readonly by: 'basic'; readonly users: ReadonlyMap<string, string> }
  | { readonly by: 'signed'; readonly replayWindowMs?: number }
  | {
      readonly by: 'external';
      readonly url: string;
      readonly timeoutMs?: number;
      readonly cacheMs?: number;
      readonly challenge?: string;
    };

/** The admin API of the reference server. */
export interface AdminEnvironment {
  /** Passwords by name. */
  readonly users: ReadonlyMap<string, string>;
  readonly isReadOnly: boolean;
}

/** @returns undefined without administrators. @throws BootError for a setting that would do nothing. */
export function adminOptions(values: AccessValues): AdminEnvironment | undefined {
  const users = values.CHUNKED_UPLOAD_ADMINS;
  if (users) return { users, isReadOnly: values.CHUNKED_UPLOAD_ADMIN_READ_ONLY ?? false };
  if (values.CHUNKED_UPLOAD_ADMIN_READ_ONLY === undefined) return undefined;
  throw accessError(
    'CHUNKED_UPLOAD_ADMIN_READ_ONLY would do nothing: there is no administrator.',
    'CHUNKED_UPLOAD_ADMINS=root:secret',
  );
}

/** Which variables are of use with which way to sign in. */
const OF_USE: Readonly<Partial<Record<keyof AccessValues, AccessEnvironment['by']>>> = {
  CHUNKED_UPLOAD_USERS: 'basic',
  CHUNKED_UPLOAD_REPLAY_WINDOW: 'signed',
  CHUNKED_UPLOAD_AUTH_URL: 'external',
  CHUNKED_UPLOAD_AUTH_TIMEOUT: 'external',
  CHUNKED_UPLOAD_AUTH_CACHE: 'external',
  CHUNKED_UPLOAD_AUTH_CHALLENGE: 'external',
};

/**
 * How callers sign in, by all variables together.
 * @throws BootError for a setting that would do nothing (users who need no password are no users), and for one that is missing.
 */
export function accessOptions(values: AccessValues): AccessEnvironment {
  const users = values.CHUNKED_UPLOAD_USERS;
  const by = values.CHUNKED_UPLOAD_AUTH ?? (users ? 'basic' : 'anonymous');
  for (const [name, of] of Object.entries(OF_USE)) {
    if (of === by || values[name as keyof AccessValues] === undefined) continue;
    throw accessError(`${name} would do nothing: callers sign in by ${by}.`, `CHUNKED_UPLOAD_AUTH=${of}`);
  }
  if (by === 'basic') {
    if (!users) throw missing(by, 'CHUNKED_UPLOAD_USERS=ann:secret');
    return { by, users };
  }
  if (by === 'external') return externalOptions(values);
  const window = values.CHUNKED_UPLOAD_REPLAY_WINDOW;
  return { by, ...(by === 'signed' && window !== undefined && { replayWindowMs: window }) };
}

function externalOptions(values: AccessValues): AccessEnvironment {
  const url = values.CHUNKED_UPLOAD_AUTH_URL;
  if (url === undefined) throw missing('external', 'CHUNKED_UPLOAD_AUTH_URL=https://accounts.example.com/me');
  const timeoutMs = values.CHUNKED_UPLOAD_AUTH_TIMEOUT;
  const cacheMs = values.CHUNKED_UPLOAD_AUTH_CACHE;
  const challenge = values.CHUNKED_UPLOAD_AUTH_CHALLENGE;
  return {
    by: 'external',
    url,
    ...(timeoutMs !== undefined && { timeoutMs }),
    ...(cacheMs !== undefined && { cacheMs }),
    ...(challenge !== undefined && { challenge }),
  };
}

function missing(by: string, setting: string): BootError {
  return accessError(`CHUNKED_UPLOAD_AUTH=${by} needs another setting.`, setting);
}

function accessError(message: string, setting: string): BootError {
  return new BootError(message, [`Set it:  ${setting} npm start`, 'All settings:  npm start -- --help']);
}
