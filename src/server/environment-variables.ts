import { CHECKSUM_ALGORITHMS } from '../engine/checksum-algorithm.js';
import { UPLOAD_ERROR_CODES } from '../errors/upload-error-code.js';
import { expandFolder } from '../storage/storage-key.js';
import { ACCESS_VARIABLES } from './access-variables.js';
import { CORS_VARIABLES } from './cors-variables.js';
import * as parse from './environment-parsers.js';
import type { EnvironmentVariable } from './environment-variable.js';

const STATUS_PAIRS = 'code:status with commas between, the codes as in docs/errors.md';

const text = parse.matching(/./, 'any text');
const extension = parse.matching(/^\.?[^\s./\\]+$/, 'extensions with commas between');
const folder: parse.Parse<string> = (template) => {
  expandFolder(template, new Date());
  return template;
};
const mediaType = parse.matching(/^[\w.+-]+\/(\*|[\w.+-]+)$/, 'media types with commas between');

/**
 * Every variable the reference server reads; an empty one counts as unset.
 *
 * Sizes: bytes (`5242880`), or with a unit of powers of 1024 (`5mb`, `2gb`). Times: milliseconds (`30000`), or with a
 * unit (`30s`, `10m`, `12h`, `1d`). Lists: commas between.
 */
export const ENVIRONMENT_VARIABLES = {
  PORT: {
    about: 'Port to listen on; 0 takes any free one.',
    example: '8080',
    fallback: '3000',
    parse: parse.integer(0, 65_535),
  },
  HOST: {
    about: 'Address to listen on.',
    example: '127.0.0.1',
    unset: 'all addresses',
    parse: parse.matching(/^[\w.:%-]+$/, 'an IP address or a host name'),
  },
  PUBLIC_URL: {
    about: 'Origin and path that returned urls start with.',
    example: 'https://files.example.com',
    unset: 'as the request came in',
    parse: parse.url('https:', 'http:'),
  },
  TRUST_PROXY: {
    about: 'Proxies whose X-Forwarded-* headers are believed: true, how many, or their addresses.',
    example: 'loopback',
    fallback: 'false',
    parse: parse.trustedProxies,
  },
  ...CORS_VARIABLES,
  CHUNKED_UPLOAD_ADAPTER: {
    about: 'HTTP framework: express or fastify.',
    example: 'fastify',
    fallback: 'express',
    parse: parse.oneOf(['express', 'fastify']),
  },
  DATABASE_URL: {
    about: 'PostgreSQL 13 or newer to use.',
    example: 'postgres://user:password@localhost:5432/name',
    unset: 'an embedded one, under DATA_DIR',
    secret: true,
    parse: parse.url('postgres:', 'postgresql:'),
  },
  DATA_DIR: {
    about: 'Folder of the files and of the embedded database.',
    example: '/var/lib/uploads',
    fallback: './data',
    parse: text,
  },
  ...ACCESS_VARIABLES,
  CHUNKED_UPLOAD_DOORS: {
    about: 'Protocols to serve: rest, form-post (that of django-chunked-upload) or both.',
    example: 'rest,form-post',
    fallback: 'rest',
    parse: parse.list(parse.oneOf(['rest', 'form-post'])),
  },
  CHUNKED_UPLOAD_FOLDER: {
    about: 'Where files are under DATA_DIR/uploads, by date codes as in strftime, in UTC.',
    example: 'incoming/%Y/%m',
    unset: '%Y/%m/%d',
    parse: folder,
  },
  CHUNKED_UPLOAD_CONTENT_RANGE: {
    about: 'Whether a chunk without Content-Range is refused (required) or is the whole file (optional).',
    example: 'optional',
    unset: 'required',
    parse: parse.oneOf(['required', 'optional']),
  },
  CHUNKED_UPLOAD_CHECKSUM: {
    about: 'Checksum algorithms computed while receiving, a client completes with any; or none.',
    example: 'sha256,md5',
    unset: 'md5',
    parse: parse.unless('none', false as const, parse.list(parse.oneOf(CHECKSUM_ALGORITHMS))),
  },
  CHUNKED_UPLOAD_MAX_BYTES: { about: 'Largest file.', example: '2gb', unset: 'unlimited', parse: parse.size },
  CHUNKED_UPLOAD_MIN_BYTES: { about: 'Smallest file.', example: '1', unset: '0', parse: parse.size },
  CHUNKED_UPLOAD_MAX_CHUNK_BYTES: {
    about: 'Largest chunk.',
    example: '100mb',
    unset: 'unlimited',
    parse: parse.size,
  },
  CHUNKED_UPLOAD_MAX_OPEN_UPLOADS: {
    about: 'Most unfinished uploads of one user.',
    example: '100',
    unset: 'unlimited',
    parse: parse.integer(1, Number.MAX_SAFE_INTEGER),
  },
  CHUNKED_UPLOAD_MAX_OPEN_BYTES: {
    about: "Most bytes declared for one user's unfinished uploads.",
    example: '50gb',
    unset: 'unlimited',
    parse: parse.size,
  },
  CHUNKED_UPLOAD_MAX_FILENAME_BYTES: {
    about: 'Longest file name, in UTF-8 bytes.',
    example: '100',
    unset: '255',
    parse: parse.integer(1, 255),
  },
  CHUNKED_UPLOAD_ALLOWED_EXTENSIONS: {
    about: 'Extensions a file name may end in.',
    example: 'jpg,png',
    unset: 'all',
    parse: parse.list(extension),
  },
  CHUNKED_UPLOAD_ALLOWED_MIME_TYPES: {
    about: 'Media types a file may have.',
    example: 'image/*,application/pdf',
    unset: 'all',
    parse: parse.list(mediaType),
  },
  CHUNKED_UPLOAD_EXPIRES_IN: {
    about: 'Time after the last chunk when an unfinished upload expires.',
    example: '12h',
    unset: '1d',
    parse: parse.duration(1, Number.MAX_SAFE_INTEGER),
  },
  CHUNKED_UPLOAD_KEEP_RECORDS: {
    about: 'Whether the row of an expired upload stays, so that its id answers 410 instead of 404.',
    example: 'true',
    unset: 'false',
    parse: parse.flag,
  },
  CHUNKED_UPLOAD_CLEANUP_CRON: {
    about: 'When expired uploads are removed, as a cron expression; or off.',
    example: '0 3 * * *',
    unset: 'every ten minutes',
    parse: parse.unless('off', false as const, parse.cron),
  },
  CHUNKED_UPLOAD_IDLE_TIMEOUT: {
    about: 'A chunk that receives nothing for this long is ended.',
    example: '30s',
    unset: '60s',
    parse: parse.duration(1),
  },
  CHUNKED_UPLOAD_LEASE_TTL: {
    about: 'How long a writer that went silent keeps others out.',
    example: '10s',
    unset: '30s',
    parse: parse.duration(1),
  },
  CHUNKED_UPLOAD_LEASE_LINGER: {
    about: 'How long a process keeps the lease of an upload for the next chunk; 0 for never.',
    example: '0',
    unset: '1s',
    parse: parse.duration(0),
  },
  CHUNKED_UPLOAD_SHUTDOWN_GRACE: {
    about: 'How long running chunks may go on when the server stops.',
    example: '30s',
    fallback: '10s',
    parse: parse.duration(0),
  },
  CHUNKED_UPLOAD_DURABILITY: {
    about: 'What survives a power cut: every acknowledged chunk, or only complete files.',
    example: 'complete',
    unset: 'chunk',
    parse: parse.oneOf(['chunk', 'complete']),
  },
  CHUNKED_UPLOAD_STATUS_OVERRIDES: {
    about: 'HTTP status by error code.',
    example: 'offset_mismatch:409,too_large:413',
    unset: 'as in docs/errors.md',
    parse: parse.pairs(parse.oneOf(UPLOAD_ERROR_CODES, STATUS_PAIRS), parse.integer(400, 599), STATUS_PAIRS),
  },
} as const satisfies Record<string, EnvironmentVariable>;
