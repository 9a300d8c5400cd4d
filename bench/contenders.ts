import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startGunicorn } from './gunicorn.js';
import { startNginx } from './nginx.js';
import { bare, dav } from './protocols/bare.js';
import type { Protocol } from './protocols/protocol.js';
import { rest } from './protocols/rest.js';
import { tus } from './protocols/tus.js';
import { uploadx } from './protocols/uploadx.js';
import { chunkForms, wholeForm } from './protocols/whole-form.js';
import { ServerProcess, type Usage } from './server-process.js';

/** A server that runs, and what it uses. */
export interface RunningServer {
  readonly origin: string;
  resetPeak(): Promise<void>;
  usage(): Promise<Usage>;
  stop(): Promise<void>;
}

/** What servers are started with. */
export interface Site {
  /** A folder for everything. */
  readonly folder: string;
  /** Makes a database of that name and returns its url. */
  readonly createDatabase: (name: string) => Promise<string>;
}

/** One server, set up one way. */
export interface Contender {
  readonly name: string;
  readonly protocol: Protocol;
  /** Null: not installed here. */
  start(site: Site): Promise<RunningServer | null>;
}

const TYPESCRIPT = fileURLToPath(new URL('../test/support/typescript.js', import.meta.url));
/** The program of the reference server. */
export const SERVER = fileURLToPath(new URL('../dist/src/server/main.js', import.meta.url));

/** This module's reference server. */
function ours(name: string, protocol: Protocol, env: NodeJS.ProcessEnv): Contender {
  return {
    name,
    protocol,
    async start({ folder, createDatabase }) {
      const databaseName = `bench_${name.replaceAll(/[^a-z0-9]+/g, '_')}`;
      return ServerProcess.start([SERVER], {
        PORT: '0',
        HOST: '127.0.0.1',
        DATA_DIR: join(folder, databaseName),
        DATABASE_URL: await createDatabase(databaseName),
        ...env,
      });
    },
  };
}

/** A program of `servers/`. */
function peer(name: string, protocol: Protocol, program: string, ...args: readonly string[]): Contender {
  return {
    name,
    protocol,
    async start({ folder }) {
      const place = join(folder, name.replaceAll(/[^a-z0-9]+/g, '-'));
      await mkdir(place, { recursive: true });
      const path = fileURLToPath(new URL(`servers/${program}.ts`, import.meta.url));
      return ServerProcess.start(['--import', TYPESCRIPT, path, place, ...args]);
    },
  };
}

const UNSYNCED = { CHUNKED_UPLOAD_DURABILITY: 'complete' };
const UNCHECKED = { ...UNSYNCED, CHUNKED_UPLOAD_CHECKSUM: 'none' };
const checked = (algorithm: string) => ({ ...UNSYNCED, CHUNKED_UPLOAD_CHECKSUM: algorithm });
const FASTIFY = { CHUNKED_UPLOAD_ADAPTER: 'fastify' };

/** All there are. Names are what tables and `--contenders` show. */
export const CONTENDERS: readonly Contender[] = [
  peer('bare: discard', bare, 'bare', 'discard'),
  peer('bare: pipe', bare, 'bare', 'pipe'),
  peer('bare: writev', bare, 'bare', 'writev'),
  peer('bare: writev+md5', bare, 'bare', 'writev+md5'),
  peer('bare: writev+sha256', bare, 'bare', 'writev+sha256'),
  peer('bare: writev+md5+sync', bare, 'bare', 'writev+md5+sync'),
  peer('bare: busboy', wholeForm, 'busboy'),
  peer('bare: busboy, chunks', chunkForms, 'busboy'),
  { name: 'nginx: dav', protocol: dav, start: ({ folder }) => startNginx(folder) },
  { name: 'django: gunicorn', protocol: rest({ checksum: 'md5', isMultipart: true }), start: startGunicorn },
  ours('ours: defaults', rest({ checksum: 'md5' }), {}),
  ours('ours: defaults, fastify', rest({ checksum: 'md5' }), FASTIFY),
  ours('ours: complete', rest({ checksum: null }), UNCHECKED),
  ours('ours: complete+md5', rest({ checksum: 'md5' }), checked('md5')),
  ours('ours: complete+sha256', rest({ checksum: 'sha256' }), checked('sha256')),
  ours('ours: complete, form', rest({ checksum: null, isMultipart: true }), UNCHECKED),
  peer('tus: node', tus, 'tus'),
  peer('tus: nest', tus, 'tus-nest'),
  peer('uploadx: node', uploadx, 'uploadx'),
  peer('multer: nest', wholeForm, 'multer'),
];
