import type { Readable } from 'node:stream';
import { UploadError } from '../errors/upload-error.js';
import type { AbstractChunkedUpload } from '../persistence/abstract-chunked-upload.entity.js';
import type { ListFilter } from '../persistence/upload.repository.js';
import type { UploadScope } from '../persistence/upload-table.js';
import type { ByteRange } from '../storage/storage-driver.interface.js';
import { shuttingDown } from './active-writes.js';
import { requireChecksum } from './checksum-comparison.js';
import type { ChunkWindow } from './chunk-window.js';
import { ChunkAppender } from './chunk-appender.js';
import { type EngineContext, storedUpload } from './engine-context.js';
import { LeaseClaimer } from './lease-claimer.js';
import { LingeringLeases } from './lingering-leases.js';
import { notFound, requireUsable } from './refusal.js';
import { UploadCompleter } from './upload-completer.js';
import { exportFile } from '../storage/file-export.js';
import type { AppendCommand, Caller, CompleteCommand, CreateCommand } from './upload-commands.js';
import { UploadCreator } from './upload-creator.js';
import { admitWindow, type Owner } from './upload-policy.js';
import { UploadRemover } from './upload-remover.js';

/** The rules of one upload type, whatever protocol a request came by. Every command is limited to what its caller may see. */
export class UploadEngine<Entity extends AbstractChunkedUpload = AbstractChunkedUpload> {
  readonly remover: UploadRemover<Entity>;
  private readonly appender: ChunkAppender<Entity>;
  private readonly creator: UploadCreator<Entity>;
  private readonly completer: UploadCompleter<Entity>;
  private readonly claimer: LeaseClaimer<Entity>;
  private readonly lingering: LingeringLeases<Entity>;
  private isDraining = false;

  constructor(readonly context: EngineContext<Entity>) {
    const lingering = (this.lingering = new LingeringLeases(context));
    const claimer = (this.claimer = new LeaseClaimer(context, lingering));
    this.remover = new UploadRemover(context);
    this.appender = new ChunkAppender(context, claimer, lingering);
    this.creator = new UploadCreator(context, claimer, this.appender, this.remover);
    this.completer = new UploadCompleter(context, claimer);
  }

  /** Refuses a chunk by what its headers say; commands do so too, but some doors have to read before they have one. */
  admit({ limits }: Caller, window: ChunkWindow): void {
    admitWindow(limits, window);
  }

  /** Creates an upload with its first chunk. */
  async create(command: CreateCommand): Promise<Entity> {
    this.requireOpen();
    return (await this.creator.create(command)).upload;
  }

  /**
   * Creates an upload from a whole file and completes it. When that fails, nothing is left.
   * @param checksums null: nobody between the file and us could change it, and none is compared.
   */
  async createComplete(
    command: CreateCommand,
    checksums: (() => Promise<ReadonlyMap<string, unknown>>) | null,
  ): Promise<Entity> {
    this.requireOpen();
    const { caller, late } = command;
    if (!late && checksums) requireChecksum(await checksums(), this.context.policy.algorithms);
    const { upload, isNew } = await this.creator.create(command);
    try {
      const given = checksums && (await checksums());
      return await this.complete({ caller, id: upload.id, checksums: given });
    } catch (error) {
      if (isNew) await this.remover.abandonIdle(upload.id).catch(() => undefined);
      throw error;
    }
  }

  /** Appends a chunk at the offset the upload stands at. */
  async append(command: AppendCommand): Promise<Entity> {
    this.requireOpen();
    return this.appender.append(command);
  }

  /** Completes a fully received upload; repeating it gives the same answer and changes nothing. */
  complete(command: CompleteCommand): Promise<Entity> {
    return this.completer.complete(command);
  }

  /** Deletes an upload, row and bytes. */
  cancel(caller: Caller, id: string): Promise<void> {
    return this.remover.cancel(caller, id);
  }

  /** Says what an upload belongs to. @throws UploadError `not_found`, `owner_not_allowed`. */
  async attach(caller: Caller, id: string, owner: Owner | null): Promise<Entity> {
    if (owner) await this.context.policy.admitOwner(owner, caller);
    const upload = await this.context.repositories.uploads.attach(id, owner);
    if (!upload) throw notFound();
    return upload;
  }

  /** Puts the file of a complete upload at `path`, where nothing is yet, and deletes the upload. */
  async handOver(caller: Caller, id: string, path: string): Promise<void> {
    const upload = await this.findComplete(caller, id);
    await exportFile(this.context.driver, { upload: storedUpload(upload), size: upload.offset }, path);
    await this.remover.letGo(upload);
  }

  /** @throws UploadError `not_found`, `expired`. */
  async find(scope: UploadScope, id: string): Promise<Entity> {
    const sighting = await this.context.repositories.uploads.sight(id, scope);
    requireUsable(sighting);
    return sighting.upload;
  }

  /** The caller's uploads, newest first. */
  list(scope: UploadScope, filter: ListFilter): Promise<Entity[]> {
    return this.context.repositories.uploads.list(scope, filter);
  }

  /** A complete upload, its bytes there to be read. @throws UploadError `not_found`, `expired`, `incomplete`, `failed`. */
  async findComplete(scope: UploadScope, id: string): Promise<Entity> {
    const upload = await this.find(scope, id);
    if (upload.status === 'complete') return this.requireBytes(upload);
    throw new UploadError(
      'incomplete',
      'This upload is not complete yet. Send the rest and complete it first.',
      {
        offset: upload.offset,
      },
    );
  }

  /** Streams the bytes of a complete upload. */
  read(upload: Entity, range: ByteRange): Readable {
    return this.context.driver.read(storedUpload(upload), range);
  }

  /** Hears other processes that ask for a lease of this one. */
  async open(): Promise<void> {
    await this.context.requests.start((request) => this.claimer.heed(request));
  }

  /** Takes no more bytes, lets running chunks go on for `graceMs`, then commits what they have or lets them go. */
  async drain(graceMs: number): Promise<void> {
    this.isDraining = true;
    await this.context.active.drain(graceMs);
    await this.lingering.stop();
    await this.context.requests.stop();
  }

  private async requireBytes(upload: Entity): Promise<Entity> {
    const stored = await this.context.driver.size(storedUpload(upload));
    if (stored === upload.offset) return upload;
    throw new UploadError('failed', 'The bytes of this upload are not in the storage any more.');
  }

  private requireOpen(): void {
    if (this.isDraining) throw shuttingDown();
  }
}
