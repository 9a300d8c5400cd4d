import path from 'node:path';
import type { UploadCorsOptions } from '../upload-cors.js';
import type { UploadDoor, UploadSettings, UploadShape } from '../upload-options.js';
import {
  type AccessEnvironment,
  accessOptions,
  type AdminEnvironment,
  adminOptions,
} from './access-variables.js';
import { BootError } from './boot-error.js';
import { corsOptions } from './cors-variables.js';
import type { EnvironmentVariable } from './environment-variable.js';
import { ENVIRONMENT_VARIABLES } from './environment-variables.js';

type Variables = typeof ENVIRONMENT_VARIABLES;

/** A variable's type, without `undefined` where it has a default. */
type ValueOf<Variable extends EnvironmentVariable> = Variable extends { readonly fallback: string }
  ? ReturnType<Variable['parse']>
  : ReturnType<Variable['parse']> | undefined;

type Values = { readonly [Key in keyof Variables]: ValueOf<Variables[Key]> };

/** Some settings, without functions. */
type Fixed<Settings, Names extends keyof Settings> = {
  readonly [Name in Names]?: Exclude<Settings[Name], (...context: never[]) => unknown>;
};

/** Options of the module that the environment sets; a key is absent where the module's default holds. */
export type UploadEnvironment = Pick<UploadShape, 'cleanup'> &
  Fixed<
    UploadSettings,
    | 'allowedExtensions'
    | 'allowedMimeTypes'
    | 'checksum'
    | 'contentRange'
    | 'durability'
    | 'expiresIn'
    | 'folder'
    | 'idleTimeout'
    | 'keepRecords'
    | 'leaseLinger'
    | 'leaseTtl'
    | 'maxBytes'
    | 'maxChunkBytes'
    | 'maxFilenameBytes'
    | 'maxOpenBytes'
    | 'maxOpenUploads'
    | 'minBytes'
    | 'publicUrl'
    | 'shutdownGrace'
    | 'statusOverrides'
    | 'userRestricted'
  >;

/** The reference server's configuration, checked and complete. */
export interface ServerEnvironment {
  readonly port: number;
  /** Undefined: all addresses. */
  readonly host: string | undefined;
  readonly adapter: 'express' | 'fastify';
  readonly trustProxy: boolean | number | string;
  /** Undefined: no cross-origin access. */
  readonly cors: UploadCorsOptions | undefined;
  /** Undefined: the embedded PostgreSQL. Holds a password. */
  readonly databaseUrl: string | undefined;
  /** Absolute. */
  readonly dataDirectory: string;
  readonly access: AccessEnvironment;
  /** Undefined: no admin API. */
  readonly admin: AdminEnvironment | undefined;
  readonly doors: readonly UploadDoor[];
  readonly shutdownGraceMs: number;
  readonly upload: UploadEnvironment;
}

/**
 * Reads the configuration from environment variables.
 * @throws BootError that names every wrong and every unknown variable at once.
 */
export function readEnvironment(variables: Readonly<NodeJS.ProcessEnv>): ServerEnvironment {
  const values = readValues(variables);
  return {
    port: values.PORT,
    host: values.HOST,
    adapter: values.CHUNKED_UPLOAD_ADAPTER,
    trustProxy: values.TRUST_PROXY,
    cors: corsOptions(values),
    databaseUrl: values.DATABASE_URL,
    dataDirectory: path.resolve(values.DATA_DIR),
    access: accessOptions(values),
    admin: adminOptions(values),
    doors: values.CHUNKED_UPLOAD_DOORS,
    shutdownGraceMs: values.CHUNKED_UPLOAD_SHUTDOWN_GRACE,
    upload: withoutUndefined(uploadOptions(values)),
  };
}

function uploadOptions(values: Values): UploadEnvironment {
  const statusOverrides = values.CHUNKED_UPLOAD_STATUS_OVERRIDES;
  return {
    allowedExtensions: values.CHUNKED_UPLOAD_ALLOWED_EXTENSIONS,
    allowedMimeTypes: values.CHUNKED_UPLOAD_ALLOWED_MIME_TYPES,
    checksum: values.CHUNKED_UPLOAD_CHECKSUM,
    cleanup: values.CHUNKED_UPLOAD_CLEANUP_CRON,
    contentRange: values.CHUNKED_UPLOAD_CONTENT_RANGE,
    durability: values.CHUNKED_UPLOAD_DURABILITY,
    expiresIn: values.CHUNKED_UPLOAD_EXPIRES_IN,
    folder: values.CHUNKED_UPLOAD_FOLDER,
    idleTimeout: values.CHUNKED_UPLOAD_IDLE_TIMEOUT,
    keepRecords: values.CHUNKED_UPLOAD_KEEP_RECORDS,
    leaseLinger: values.CHUNKED_UPLOAD_LEASE_LINGER,
    leaseTtl: values.CHUNKED_UPLOAD_LEASE_TTL,
    maxBytes: values.CHUNKED_UPLOAD_MAX_BYTES,
    maxChunkBytes: values.CHUNKED_UPLOAD_MAX_CHUNK_BYTES,
    maxFilenameBytes: values.CHUNKED_UPLOAD_MAX_FILENAME_BYTES,
    maxOpenBytes: values.CHUNKED_UPLOAD_MAX_OPEN_BYTES,
    maxOpenUploads: values.CHUNKED_UPLOAD_MAX_OPEN_UPLOADS,
    minBytes: values.CHUNKED_UPLOAD_MIN_BYTES,
    publicUrl: values.PUBLIC_URL,
    shutdownGrace: values.CHUNKED_UPLOAD_SHUTDOWN_GRACE,
    statusOverrides: statusOverrides && Object.fromEntries(statusOverrides),
    userRestricted: values.CHUNKED_UPLOAD_USER_RESTRICTED,
  };
}

function readValues(variables: Readonly<NodeJS.ProcessEnv>): Values {
  const problems = unknownVariables(variables);
  const read = (name: string, variable: EnvironmentVariable): unknown => {
    const given = variables[name]?.trim() || undefined;
    const text = given ?? variable.fallback;
    try {
      return text === undefined ? undefined : variable.parse(text);
    } catch (error) {
      const shown = variable.secret ? ' (its value is not shown)' : `=${text}`;
      const allowed = (error as Error).message;
      problems.push(`${name}${shown} must be ${allowed}, e.g. ${name}=${variable.example}`);
      return undefined;
    }
  };
  const entries = Object.entries(ENVIRONMENT_VARIABLES).map(
    ([name, variable]) => [name, read(name, variable)] as const,
  );
  if (problems.length > 0) {
    throw new BootError(['The environment has settings that cannot be used:', ...problems].join('\n  '), [
      'All settings:  npm start -- --help',
    ]);
  }
  return Object.fromEntries(entries) as Values;
}

const PREFIX = 'CHUNKED_UPLOAD_';

/** A setting with a typing error would otherwise be a limit that silently does not hold. */
function unknownVariables(variables: Readonly<NodeJS.ProcessEnv>): string[] {
  const known = Object.keys(ENVIRONMENT_VARIABLES);
  const unknown = Object.keys(variables).filter((name) => name.startsWith(PREFIX) && !known.includes(name));
  return unknown.map((name) => {
    const [closest] = known.filter((other) => other.startsWith(PREFIX)).sort(byDistanceTo(name));
    return `${name} is not a setting. Did you mean ${closest}?`;
  });
}

function byDistanceTo(name: string): (a: string, b: string) => number {
  return (a, b) => editDistance(name, a) - editDistance(name, b);
}

/** How many letters must be added, removed or replaced to turn one word into the other. */
function editDistance(from: string, to: string): number {
  let previous = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (const [row, letter] of [...from].entries()) {
    const current = [row + 1];
    for (const [column, other] of [...to].entries()) {
      const replaced = (previous[column] ?? 0) + (letter === other ? 0 : 1);
      current.push(Math.min(replaced, (previous[column + 1] ?? 0) + 1, (current[column] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[to.length] ?? 0;
}

function withoutUndefined<Options extends object>(options: Options): Options {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Options;
}

/** Every variable with what it does, its default and an example, for a terminal. */
export function describeEnvironment(): string {
  const lines = Object.entries<EnvironmentVariable>(ENVIRONMENT_VARIABLES).map(
    ([name, { about, example, fallback, unset }]) =>
      `${name}\n    ${about} Default: ${fallback ?? unset}.\n    ${name}='${example}'`,
  );
  return [
    'Environment variables (an empty one counts as unset)',
    'Sizes: 5242880, 5mb, 2gb. Times: 30000 (milliseconds), 30s, 12h, 1d. Lists: commas between.',
    ...lines,
  ].join('\n');
}
