import { types } from 'node:util';
import { BootError } from './boot-error.js';

/** What `pg` and the sockets below it throw. */
interface DatabaseError extends Error {
  readonly code?: string;
  /** Of an `AggregateError`: one for each address that was tried. */
  readonly errors?: readonly Error[];
}

const WITHOUT_IT = 'Or start with the embedded database: leave DATABASE_URL out.';

/**
 * Turns a failure to reach or use the database into what to do about it; anything else stays what it is.
 * The password of the URL is never part of it.
 */
export function databaseFailure(error: unknown, databaseUrl: string): unknown {
  if (!types.isNativeError(error)) return error;
  const explained = explain(error, describeDatabase(databaseUrl));
  return explained ? new BootError(explained[0], [explained[1], WITHOUT_IT], { cause: error }) : error;
}

/** The parts of a database's URL that may be shown. */
export interface DatabaseDescription {
  readonly host: string;
  readonly name: string;
  readonly user: string;
}

/** Describes a database without its password. */
export function describeDatabase(databaseUrl: string): DatabaseDescription {
  const url = new URL(databaseUrl);
  const user = decodeURIComponent(url.username) || 'the default user';
  const name = decodeURIComponent(url.pathname.slice(1)) || user;
  return { host: url.host || 'localhost', name, user };
}

type Explanation = readonly [what: string, advice: string];

function explain(error: DatabaseError, { host, name, user }: DatabaseDescription): Explanation | null {
  switch (error.code) {
    case '28P01':
    case '28000':
      return [
        `The database at ${host} does not let ${user} in: ${error.message}.`,
        'Check user and password in DATABASE_URL; characters such as @ : / # have to be written %40 %3A %2F %23.',
      ];
    case '3D000':
      return [
        `There is no database "${name}" at ${host}.`,
        `Create it:  createdb -h ${host.replace(/:(\d+)$/, ' -p $1')} '${name}'`,
      ];
    case '42501':
      return [
        `${user} may not create tables in database "${name}": ${error.message}.`,
        `As its administrator:  GRANT CREATE ON SCHEMA public TO "${user}";`,
      ];
    case '53300':
      return [`The database at ${host} has no connection left.`, 'Close some, or raise its max_connections.'];
    case '57P03':
      return [`The database at ${host} is not ready: ${error.message}.`, 'Try again in a moment.'];
    default:
      return isUnreachable(error) ? unreachable(error, host) : passwordMissing(error, user);
  }
}

const UNREACHABLE = [
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
];

function isUnreachable({ code, message }: DatabaseError): boolean {
  return UNREACHABLE.includes(code ?? '') || /timeout|SSL|certificate|terminated/i.test(message);
}

function unreachable({ code, message, errors }: DatabaseError, host: string): Explanation {
  const reason = message || errors?.[0]?.message || code;
  return [
    `The database at ${host} cannot be reached: ${reason}.`,
    'Is it running, and are host, port and sslmode in DATABASE_URL right? With Docker:  docker compose up -d',
  ];
}

function passwordMissing({ message }: DatabaseError, user: string): Explanation | null {
  if (!message.includes('password must be a string')) return null;
  return [
    `The database asks ${user} for a password, and DATABASE_URL has none.`,
    'Write it as  DATABASE_URL=postgres://user:password@host:5432/name',
  ];
}
