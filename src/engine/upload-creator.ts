import type { AbstractChunkedUpload } from '../persistence/abstract-chunked-upload.entity.js';
import type { Lease } from '../persistence/lease.repository.js';
import type { Quota } from '../persistence/upload.repository.js';
import { settle, StopRequest, takenOver } from './active-writes.js';
import type { ChunkAppender } from './chunk-appender.js';
import { ChunkReceiver } from './chunk-receiver.js';
import { ChunkSession, type StoredChunk } from './chunk-session.js';
import { describeDraft, differs } from './draft-columns.js';
import { type EngineContext, storedUpload, takeLease } from './engine-context.js';
import type { LeaseClaimer, Leased } from './lease-claimer.js';
import { newRow, scopedKey } from './new-row.js';
import { asRefusal, busy, notUnique, offsetMismatch } from './refusal.js';
import type { CreateCommand, LateDescription } from './upload-commands.js';
import { admitSize, admitWindow, requireCountable } from './upload-policy.js';
import type { UploadRemover } from './upload-remover.js';

/** The longest that Node's timers take: 24 days. */
const NO_TIMEOUT_MS = 2 ** 31 - 1;

/** Inserts tried, where other requests with the same idempotency key come and go. */
const MOST_ATTEMPTS = 5;

/** An upload that a creating request stands for. */
export interface Created<Entity> {
  readonly upload: Entity;
  /** False when it was there before: the same idempotency key, or an id that came behind the bytes. */
  readonly isNew: boolean;
}

/**
 * Creates uploads with their first chunk. A creating request that fails leaves neither row nor bytes, since its client
 * never learns the url; the row comes first, so that a crash leaves nothing that cleanup cannot find.
 */
export class UploadCreator<Entity extends AbstractChunkedUpload> {
  constructor(
    private readonly context: EngineContext<Entity>,
    private readonly claimer: LeaseClaimer<Entity>,
    private readonly appender: ChunkAppender<Entity>,
    private readonly remover: UploadRemover<Entity>,
  ) {}

  async create(command: CreateCommand): Promise<Created<Entity>> {
    const { caller, window, description, late } = command;
    if (window) admitWindow(caller.limits, window);
    if (window && !late && window.start !== 0) throw offsetMismatch(0, window.start);
    // One that begins further on continues an upload that is counted already.
    if (!window?.start) requireCountable(this.context.policy, window);
    const columns = await describeDraft(this.context, command, description, { isFinal: !late, draft: null });
    const begun = await this.begin(command, columns);
    if (!('lease' in begun)) return { upload: begun, isNew: false };
    const upload = await this.receive(command, begun);
    const isNew = upload.id === begun.upload.id;
    if (isNew) this.context.events.emit('created', upload);
    return { upload, isNew };
  }

  /** Inserts the row with its lease; or returns the upload that the same idempotency key created before. */
  private async begin(command: CreateCommand, columns: Partial<Entity>): Promise<Leased<Entity> | Entity> {
    const idempotencyKey = scopedKey(command);
    // A failed or dead creation with this key makes room for this one; so does one that this request takes over.
    for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
      const row = newRow(this.context.policy, command);
      const values = { ...columns, ...row, idempotencyKey } as Partial<Entity>;
      const { expiresInMs } = this.context.policy;
      const quota = this.quotaOf(command);
      const insert = (lease: Lease) =>
        this.context.repositories.uploads.insert({ values, lease, expiresInMs }, quota);
      const begun = await takeLease(this.context, insert).catch(async (error: unknown) => {
        // The row may be there although its answer was lost; nobody knows its id yet.
        await this.remover
          .abandon({ id: row.id, leaseToken: null, idempotencyKey: null })
          .catch(() => undefined);
        throw asRefusal(error);
      });
      if (begun) return begun;
      if (idempotencyKey === null) break;
      const existing = await this.existing(idempotencyKey, attempt === 0);
      if (existing) return existing;
    }
    const { uploads } = this.context.repositories;
    throw idempotencyKey && (await uploads.sightByIdempotencyKey(idempotencyKey)) ? busy(null) : notUnique();
  }

  /**
   * A form may turn out to be a chunk of an upload that is counted already: until it ends, each may have one beside it, and
   * the one whose connection died before that.
   */
  private quotaOf({ late, isApps }: CreateCommand): Quota | null {
    const { quota } = this.context.policy;
    if (!quota || isApps) return null;
    return late ? { uploads: 3 * quota.uploads, bytes: 3 * quota.bytes } : quota;
  }

  /**
   * The upload a key stands for; null when there was only an attempt, which is out of the way now.
   * @param endsOlder whether to end one that is under way: of several at once only the newest does, or none would get through.
   */
  private async existing(key: string, endsOlder: boolean): Promise<Entity | null> {
    const { active } = this.context;
    const { removals, uploads } = this.context.repositories;
    const sighting = await uploads.sightByIdempotencyKey(key);
    if (!sighting) return null;
    const { upload, isExpired, leaseSeconds } = sighting;
    const isCreated = upload.storageState !== null;
    if (isCreated && !isExpired && upload.status !== 'deleting') return upload;
    const write = active.get(upload.id);
    if (endsOlder) write?.stop(new StopRequest(takenOver(), false));
    if (write) {
      await settle(write);
      return null;
    }
    if (leaseSeconds !== null && !(await this.claimer.releaseIfUnused(upload))) {
      const isFree = async () => ((await uploads.sightByIdempotencyKey(key))?.leaseSeconds ? null : true);
      const isLetGo = endsOlder && (await this.claimer.ask(upload, 0, isFree));
      if (!isLetGo) throw busy(leaseSeconds);
    }
    const stale = await removals.claimStale(upload.id);
    if (stale) await this.remover.erase(stale, false);
    return null;
  }

  private async receive(command: CreateCommand, leased: Leased<Entity>): Promise<Entity> {
    const { upload, lease } = leased;
    const { body, caller, window, isApps } = command;
    const write = this.context.active.enter(upload.id, lease.token, 0);
    const receiver = isApps ? new ChunkReceiver(body.stream, NO_TIMEOUT_MS, false) : null;
    try {
      const session = new ChunkSession(this.context, leased, write);
      const open = () => Promise.resolve(body);
      const isCreation = true;
      const chunk = await session.store({ caller, open, window, isCreation, receiver, staysOpen: false });
      const late = await command.late?.();
      if (late?.continues) return await this.continueOther(command, late.continues, upload, chunk);
      if (window && window.start !== 0) throw offsetMismatch(0, window.start);
      if (!window) admitSize(caller.limits, chunk.offset);
      if (late) await this.settle(command, leased, late);
      if (late || !window) await this.recount(command, upload, window ? null : chunk.offset);
      return await this.appender.commit(leased, chunk, window);
    } catch (error) {
      // What the database does not let us delete now, cleanup deletes when it expires.
      await this.remover.abandon(upload).catch(() => undefined);
      throw error;
    } finally {
      receiver?.drop();
      write.leave();
    }
  }

  /** Counts an upload of which more is known now: that it is one, or how many bytes it has. */
  private async recount({ isApps }: CreateCommand, upload: Entity, size: number | null): Promise<void> {
    const { quota } = this.context.policy;
    if (quota && !isApps) await this.context.repositories.uploads.recount(upload, quota, size);
  }

  /** What could only be said when everything was told. */
  private async settle(
    command: CreateCommand,
    { upload, lease }: Leased<Entity>,
    late: LateDescription,
  ): Promise<void> {
    const { uploads } = this.context.repositories;
    const columns = await describeDraft(this.context, command, late, { isFinal: true, draft: upload });
    if (differs(upload, columns)) {
      await uploads.describe(upload.id, lease.token, columns).catch((error: unknown) => {
        throw asRefusal(error);
      });
    }
  }

  /** The bytes turned out to be a chunk of another upload (its id came behind them): they are appended there. */
  private async continueOther(
    { caller, window }: CreateCommand,
    id: string,
    draft: Entity,
    { storageState, offset }: StoredChunk,
  ): Promise<Entity> {
    const stream = this.context.driver.read(
      { ...storedUpload(draft), storageState },
      { start: 0, end: offset },
    );
    const isWhole = Promise.resolve();
    const body = { stream, length: offset, keepsPrefix: false, isDisposable: false, isWhole };
    try {
      return await this.appender.append({
        caller,
        id,
        window,
        open: () => Promise.resolve(body),
        stream: null,
      });
    } finally {
      // A refused one was not read, and would keep its file open.
      stream.destroy();
      await this.remover.abandon(draft).catch(() => undefined);
    }
  }
}
