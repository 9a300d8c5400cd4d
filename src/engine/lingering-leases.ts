import { UploadError } from '../errors/upload-error.js';
import type { AbstractChunkedUpload } from '../persistence/abstract-chunked-upload.entity.js';
import type { UploadScope } from '../persistence/upload-table.js';
import type { StorageWriter } from '../storage/storage-driver.interface.js';
import { SETTLE_MS, within } from './active-writes.js';
import type { ChunkWindow } from './chunk-window.js';
import type { EngineContext } from './engine-context.js';
import type { Leased } from './lease-claimer.js';

/** So many chunks of an upload come here, one behind the other, before its lease is kept: they may be spread over servers. */
const LONG_RUN = 4;
/** A process that dies between two chunks keeps others out for so many times what its leases linger. */
export const LIFE_FACTOR = 5;
/** Leases, and open files, of which an upload type keeps no more when it has so many. */
const MOST_LINGERING = 256;
/** Uploads whose chunks are counted. */
const MOST_RUNS = 1_024;

/** An upload between two chunks of one client: its lease, and a writer that is open where the next one begins. */
export interface Lingering<Entity> extends Leased<Entity> {
  readonly scope: UploadScope;
  readonly writer: StorageWriter;
}

/** The same, from when the next chunk has it. */
interface Taken<Entity> extends Lingering<Entity> {
  /** By the clock of `performance.now()`. */
  readonly takenAt: number;
}

interface Kept<Entity> extends Lingering<Entity> {
  readonly timer: NodeJS.Timeout;
}

/**
 * Leases that are kept for a moment after a chunk, because the next one is about to come: it then needs no claim, and opens
 * no file. Whoever else wants the upload gets it at once, in this process by {@link giveBack}, from another one by asking
 * for it. As everywhere, only the row proves a lease: what was written under one that was lost is not committed.
 */
export class LingeringLeases<Entity extends AbstractChunkedUpload> {
  private readonly kept = new Map<string, Kept<Entity>>();
  /** How many chunks of an upload came in a row, and where the last one ended. */
  private readonly runs = new Map<string, { readonly count: number; readonly offset: number }>();
  /** What is being given back, by token. */
  private readonly ending = new Map<string, Promise<void>>();
  private isStopped = false;

  constructor(private readonly context: EngineContext<Entity>) {}

  /** What is left of a lease when it begins to linger. */
  get ttlMs(): number {
    return LIFE_FACTOR * this.context.policy.leaseLingerMs;
  }

  /** Whether the lease is to be kept behind this chunk. */
  isWorthwhile({ id, size }: Entity, window: ChunkWindow | null): boolean {
    if (this.isStopped || !window || this.kept.size >= MOST_LINGERING) return false;
    const run = this.runs.get(id);
    const isLongRun = run !== undefined && run.offset === window.start && run.count >= LONG_RUN;
    return isLongRun && window.end !== (size ?? window.total);
  }

  /** Counts a chunk that was committed. */
  count({ id, offset, size }: Entity, start: number): void {
    const run = this.runs.get(id);
    this.runs.delete(id);
    if (this.context.policy.leaseLingerMs === 0 || offset === size) return;
    this.runs.set(id, { count: run?.offset === start ? run.count + 1 : 1, offset });
    const [oldest] = this.runs.keys();
    if (this.runs.size > MOST_RUNS && oldest !== undefined) this.runs.delete(oldest);
  }

  /** Keeps a lease until the next chunk takes it, somebody wants it, or nothing came for `leaseLinger`. */
  keep(lingering: Lingering<Entity>): void {
    const { lease, upload } = lingering;
    const { id } = upload;
    const older = this.kept.get(id);
    if (older) void this.giveBack(id, older.lease.token);
    const giveBack = () => void this.giveBack(id, lease.token);
    const timer = setTimeout(giveBack, this.context.policy.leaseLingerMs).unref();
    this.kept.set(id, { ...lingering, upload: copyOf(upload), timer });
    if (this.isStopped) giveBack();
  }

  /** Takes the lease that waits for exactly this chunk; null when none does. */
  take(id: string, scope: UploadScope, window: ChunkWindow | null): Taken<Entity> | null {
    const kept = this.kept.get(id);
    if (!kept || !window || !isNext(kept, scope, window)) return null;
    this.forget(kept);
    // From here on it is that of a write: no leftover, should anybody ask for it.
    this.context.active.hold(kept.lease.token);
    return { ...kept, takenAt: performance.now() };
  }

  /** Gives a lease back, if it lingers; whether it did. What the database does not hear now, it is told when somebody asks. */
  async giveBack(id: string, token: string): Promise<boolean> {
    const kept = this.kept.get(id);
    if (kept?.lease.token === token) {
      this.forget(kept);
      this.ending.set(token, this.end(kept));
    }
    const ending = this.ending.get(token);
    await ending;
    return ending !== undefined;
  }

  /** Gives all of them back, and keeps no more. */
  async stop(): Promise<void> {
    this.isStopped = true;
    for (const [id, { lease }] of this.kept) void this.giveBack(id, lease.token);
    await Promise.all(this.ending.values());
  }

  /** Ends one that is not kept any more; a storage that hangs is not waited for for ever. Never fails. */
  private async end(lingering: Lingering<Entity>): Promise<void> {
    const { token } = lingering.lease;
    const { active } = this.context;
    // Until it is known what closing says, it is nobody's leftover.
    active.hold(token);
    await within(SETTLE_MS, this.close(lingering)).catch(() => undefined);
    active.drop(token);
    this.ending.delete(token);
  }

  /** Closes the writer, and gives the lease back. */
  private async close({ upload, lease, writer }: Lingering<Entity>): Promise<void> {
    const { leases } = this.context.repositories;
    try {
      await writer.commit(false);
    } catch (error) {
      // Some filesystems say only now that they lost what was acknowledged without a sync.
      if (UploadError.is(error, 'failed')) return void (await leases.fail(upload.id, lease.token));
    }
    await leases.release(upload.id, lease.token);
  }

  private forget({ upload, timer }: Kept<Entity>): void {
    this.kept.delete(upload.id);
    clearTimeout(timer);
  }
}

/** The app is given the entity of each chunk, and may change it: that must not reach the next one. */
function copyOf<Entity extends AbstractChunkedUpload>(upload: Entity): Entity {
  const { digestState, storageState } = upload;
  const copy = Object.create(Object.getPrototypeOf(upload) as object) as Entity;
  return Object.assign(copy, upload, {
    digestState: digestState && { ...digestState },
    storageState: storageState && { ...storageState },
  });
}

/** Whether a chunk goes on behind the last one, for the same caller: everything else is for a claim to find out. */
function isNext<Entity extends AbstractChunkedUpload>(
  { upload: { offset, size }, scope }: Lingering<Entity>,
  { userId, restricted }: UploadScope,
  { start, end, total }: ChunkWindow,
): boolean {
  const isSameCaller = scope.userId === userId && scope.restricted === restricted;
  const fits = (total === null || total === size) && (size === null || end <= size);
  return isSameCaller && start === offset && fits;
}
