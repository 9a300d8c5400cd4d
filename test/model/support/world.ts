import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { DataSource } from 'typeorm';
import { UploadCleanup } from '../../../src/cleanup/upload-cleanup.js';
import { ActiveWrites } from '../../../src/engine/active-writes.js';
import type { LeaseHolder } from '../../../src/engine/lease-holder.js';
import type { Caller, ChunkBody } from '../../../src/engine/upload-commands.js';
import { UploadEngine } from '../../../src/engine/upload-engine.js';
import type { UploadHooks } from '../../../src/engine/upload-hooks.interface.js';
import type { UploadLimits } from '../../../src/engine/upload-policy.js';
import { UploadError } from '../../../src/errors/upload-error.js';
import { UploadEvents } from '../../../src/events/upload-events.js';
import { ChunkedUpload, UploadType } from '../../../src/index.js';
import type { LeaseRequest, LeaseRequests } from '../../../src/persistence/lease-requests.js';
import { RowMapper } from '../../../src/persistence/row-mapper.js';
import { UploadRepositories } from '../../../src/persistence/upload-repositories.js';
import { resolveSettings } from '../../../src/resolve-options.js';
import type { StorageDriver } from '../../../src/storage/storage-driver.interface.js';
import { createDatabase } from '../../support/test-app.js';
import { type Gate, gatedRepositories } from './gates.js';

export const HOUR = 3_600_000;
export const LEASE_TTL_MS = HOUR / 6;
export const EXPIRES_IN_MS = 24 * HOUR;
export const MAX_BYTES = 64;
export const MAX_CHUNK_BYTES = 32;

/** Where a request tells the hooks to refuse it. */
export type HookName = 'beforeCreate' | 'beforeChunk' | 'beforeComplete' | 'onComplete';

const SETTINGS = {
  anonymous: true,
  leaseTtl: LEASE_TTL_MS,
  expiresIn: EXPIRES_IN_MS,
  idleTimeout: HOUR,
} as const;

function refuseIn(name: HookName, request: unknown): void {
  if (request === name) throw new UploadError('refused', `${name} refuses.`);
}

/** Every hook refuses when the request says so; `onComplete` first leaves a row of the app's own. */
const HOOKS: UploadHooks<ChunkedUpload> = {
  beforeCreate: (_draft, { request }) => refuseIn('beforeCreate', request),
  beforeChunk: (_upload, _window, { request }) => refuseIn('beforeChunk', request),
  beforeComplete: (_upload, { request }) => refuseIn('beforeComplete', request),
  onComplete: async ({ id }, { request, manager }) => {
    await (manager as DataSource['manager']).query('INSERT INTO effect VALUES ($1)', [id]);
    refuseIn('onComplete', request);
    return { done: id };
  },
};

/** A server, reduced to what it holds in memory. */
export interface SimulatedProcess {
  readonly name: string;
  readonly engine: UploadEngine<ChunkedUpload>;
  readonly cleanup: UploadCleanup;
}

export type Row = ChunkedUpload & { readonly effects: number };

/** One database and the processes on it. */
export class World {
  /** Names of processes that everybody can see to have ended. */
  readonly gone = new Set<string>();
  private readonly listeners = new Set<(request: LeaseRequest) => void>();
  private readonly mapper: RowMapper<ChunkedUpload>;
  private booted = 0;

  private constructor(
    readonly dataSource: DataSource,
    private readonly drop: () => Promise<void>,
  ) {
    this.mapper = new RowMapper(dataSource, ChunkedUpload);
  }

  static async open(): Promise<World> {
    const database = await createDatabase();
    const { url } = database;
    const options = { type: 'postgres' as const, url, entities: [ChunkedUpload], poolSize: 4 };
    const dataSource = await new DataSource(options).initialize();
    await dataSource.query('CREATE TABLE effect (upload_id uuid NOT NULL)');
    return new World(dataSource, () => database.drop());
  }

  async close(): Promise<void> {
    await this.dataSource.destroy();
    await this.drop();
  }

  boot(driver: StorageDriver, gate: Gate): SimulatedProcess {
    const name = `process-${++this.booted}`;
    const { policy, door } = resolveSettings(SETTINGS, {});
    const active = new ActiveWrites();
    const holder = {
      name,
      isSelf: (other: string) => other === name,
      isGone: (other: string) => this.gone.has(other),
    };
    const ask = (request: LeaseRequest) =>
      gate.around('requests.ask', () => {
        for (const heed of this.listeners) heed(request);
        return Promise.resolve();
      });
    const start = (heed: (request: LeaseRequest) => void) => Promise.resolve(void this.listeners.add(heed));
    const engine = new UploadEngine<ChunkedUpload>({
      repositories: gatedRepositories(new UploadRepositories(this.dataSource, ChunkedUpload), gate),
      driver,
      policy: { ...policy, admitOwner: () => Promise.resolve() },
      hooks: HOOKS,
      events: new UploadEvents<ChunkedUpload>(() => undefined),
      active,
      requests: { ask, start } as unknown as LeaseRequests,
      holder: holder as unknown as LeaseHolder,
    });
    void engine.open();
    const type = new UploadType('ChunkedUpload', engine, door);
    return { name, engine, cleanup: new UploadCleanup([type]) };
  }

  /** All rows, each with the number of times that its completion hook took effect. */
  async rows(): Promise<Row[]> {
    const rows = await this.dataSource.query<Record<string, unknown>[]>(
      `SELECT *, (SELECT count(*)::int FROM effect WHERE upload_id = id) AS effects FROM chunked_upload`,
    );
    return rows.map((row) => ({ ...this.mapper.toEntity(row), effects: row.effects as number }));
  }

  /** Moves everybody's clock: all decisions about time are the database's. */
  async jump(ms: number): Promise<void> {
    const columns = ['expires_at', 'lease_expires_at', 'updated_at', 'created_at'];
    const set = columns.map((column) => `${column} = ${column} - $1 * interval '1 millisecond'`);
    await this.dataSource.query(`UPDATE chunked_upload SET ${set.join(', ')}`, [ms]);
  }

  /** A new sequence: no rows, no processes. */
  async reset(): Promise<void> {
    this.gone.clear();
    this.listeners.clear();
    await this.dataSource.query('DELETE FROM chunked_upload; DELETE FROM effect');
  }
}

const LIMITS: UploadLimits = {
  maxBytes: MAX_BYTES,
  minBytes: 0,
  maxChunkBytes: MAX_CHUNK_BYTES,
  allowedExtensions: null,
  allowedMimeTypes: null,
};

export function callerOf(userId: string, request: HookName | null = null): Caller {
  return { userId, restricted: true, request, limits: LIMITS };
}

/** How a body ends: well, in the middle, or (forms) behind the bytes. */
export type Ending = 'whole' | 'broken' | 'broken behind';

export interface BodyOptions {
  /** Raw bodies keep what arrived, forms do not. */
  readonly isRaw: boolean;
  readonly ending?: Ending;
  /** Runs before every piece. */
  readonly pace?: () => Promise<unknown>;
  readonly pieces?: number;
}

/** A body of these bytes. */
export function bodyOf(bytes: Buffer, { isRaw, ending = 'whole', pace, pieces = 1 }: BodyOptions): ChunkBody {
  const pieceBytes = Math.max(1, Math.ceil(bytes.length / pieces));
  const arriving = async function* () {
    for (let at = 0; at < bytes.length; at += pieceBytes) {
      await pace?.();
      yield Buffer.from(bytes.subarray(at, at + pieceBytes));
    }
    await pace?.();
    if (ending === 'broken') throw new Error('ECONNRESET');
  };
  const isWhole: Promise<void> =
    ending === 'broken behind' && !isRaw
      ? Promise.reject(new UploadError('malformed_request', 'The form breaks off.'))
      : Promise.resolve();
  isWhole.catch(() => undefined);
  return { stream: Readable.from(arriving()), length: null, keepsPrefix: isRaw, isDisposable: true, isWhole };
}

/** Bytes that differ from all others. */
export function bytesOf(length: number, seed: number | string): Buffer {
  return Buffer.concat([0, 1, 2].map((part) => sha256(`${seed} ${part}`))).subarray(0, length);
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

export function md5(bytes: Buffer): string {
  return createHash('md5').update(bytes).digest('hex');
}

export const DESCRIPTION = { filename: 'a.bin', isNameFinal: true, contentType: null, owner: null };
