import { Readable } from 'node:stream';
import type { Caller } from './engine/upload-commands.js';
import { requireUploadId } from './engine/upload-id.js';
import type { Owner, UploadLimits } from './engine/upload-policy.js';
import { UploadError } from './errors/upload-error.js';
import type { UploadEventName, UploadListener } from './events/upload-events.js';
import type { AbstractChunkedUpload } from './persistence/abstract-chunked-upload.entity.js';
import type { ListFilter } from './persistence/upload.repository.js';
import type { ByteRange } from './storage/storage-driver.interface.js';
import type { UploadType } from './upload-type.js';

/** A file that the app itself stores. */
export interface NewFile<Entity extends AbstractChunkedUpload = AbstractChunkedUpload> {
  /** For display and download; never a path. */
  readonly filename: string;
  /** @default by the extension */
  readonly contentType?: string;
  /** Whose it is. @default nobody's */
  readonly userId?: string | null;
  /** What it belongs to; of the listed types, and there. @default nothing */
  readonly owner?: Owner | null;
  /** Further columns: `metadata`, and those of your entity. */
  readonly columns?: Partial<Entity>;
}

/** The bytes of a file, in any form that Node has for them. */
export type FileSource = AsyncIterable<Uint8Array> | Iterable<Uint8Array> | Uint8Array;

/** The limits of requests are not the app's own. */
const NO_LIMITS: UploadLimits = {
  maxBytes: Number.MAX_SAFE_INTEGER,
  minBytes: 0,
  maxChunkBytes: Number.MAX_SAFE_INTEGER,
  allowedExtensions: null,
  allowedMimeTypes: null,
};

const PAGE = 100;

/** An upload type for the app's own code: every upload of it, whoever's it is. Inject it by `@InjectUploads(Entity)`. */
export class UploadsService<Entity extends AbstractChunkedUpload = AbstractChunkedUpload> {
  constructor(private readonly type: UploadType<Entity>) {}

  /** Listens to news of uploads; returns the function that stops it. */
  on(name: UploadEventName, listener: UploadListener<Entity>): () => void {
    return this.type.engine.context.events.on(name, listener);
  }

  /**
   * Stores a whole file and completes it, hooks included; memory stays flat. When it fails, nothing is left. Limits and
   * timeouts are for clients, and do not hold here.
   * @throws UploadError `owner_not_allowed`, `no_space`, `storage_unavailable`, `database_unavailable`; the source's own
   *   error when it fails.
   */
  async create(source: FileSource, file: NewFile<Entity>): Promise<Entity> {
    const { filename, contentType = null, userId = null, owner = null, columns } = file;
    const stream = Readable.from(buffers(source));
    // One that fails before it is read would end the process.
    if (source instanceof Readable) source.on('error', () => undefined);
    const command = {
      caller: appCaller(userId),
      window: null,
      body: { stream, length: null, keepsPrefix: false, isDisposable: false, isWhole: Promise.resolve() },
      description: { filename, isNameFinal: true, contentType, owner },
      columns: columns ?? {},
      late: null,
      idempotencyKey: undefined,
      isApps: true,
    };
    try {
      return await this.type.engine.createComplete(command, null);
    } catch (error) {
      throw stream.errored ?? error;
    } finally {
      stream.destroy();
      if (source instanceof Readable) source.destroy();
    }
  }

  /** An upload in any state in which it is there; null when it is not, or has expired. */
  async find(id: string): Promise<Entity | null> {
    try {
      return await this.type.engine.find(appCaller(), requireUploadId(id));
    } catch (error) {
      if (isGone(error)) return null;
      throw error;
    }
  }

  /** A page of all uploads, newest first. */
  list(filter: Partial<ListFilter> = {}): Promise<Entity[]> {
    return this.type.engine.list(appCaller(), { limit: PAGE, ...filter });
  }

  /** A page of the uploads of a domain object, newest first. */
  findByOwner({ type, id }: Owner, filter: Partial<ListFilter> = {}): Promise<Entity[]> {
    return this.list({ ...filter, ownerType: type, ownerId: id });
  }

  /**
   * Streams a complete upload, or a part of it: `[start, end)`.
   * @throws UploadError `not_found`, `expired`, `incomplete`, `failed`.
   */
  async read(id: string, range?: ByteRange): Promise<Readable> {
    const upload = await this.type.engine.findComplete(appCaller(), requireUploadId(id));
    return this.type.engine.read(upload, range ?? { start: 0, end: upload.offset });
  }

  /**
   * Says what an upload belongs to, or with null that it belongs to nothing any more.
   * @throws UploadError `not_found`, `owner_not_allowed`.
   */
  async attach(id: string, owner: Owner | null): Promise<Entity> {
    return this.type.engine.attach(appCaller(), requireUploadId(id), owner);
  }

  /**
   * Gives the file of a complete upload to the app: it gets the path, which must not exist, and the upload is no more.
   * Durable; on the same volume without a copy. After a crash in between, both are there.
   * @throws UploadError `not_found`, `incomplete`, `failed`; Node's error (`EEXIST`, …) of the path.
   */
  async moveTo(id: string, path: string): Promise<void> {
    await this.type.engine.handOver(appCaller(), requireUploadId(id), path);
  }

  /** Deletes an upload in any state, row and bytes. @throws UploadError `not_found`, `busy` while it is being completed. */
  async delete(id: string): Promise<void> {
    await this.type.engine.cancel(appCaller(), requireUploadId(id));
  }

  /** Deletes all uploads of a domain object, expired ones too; returns how many. @throws UploadError `busy`. */
  async deleteByOwner(owner: Owner): Promise<number> {
    const { inspection } = this.type.engine.context.repositories;
    for (let deleted = 0; ;) {
      const ids = await inspection.idsOfOwner(owner, PAGE);
      if (ids.length === 0) return deleted;
      for (const id of ids) deleted += await this.deleteIfThere(id);
    }
  }

  /** The client, a cleanup or another call may be first. */
  private async deleteIfThere(id: string): Promise<0 | 1> {
    try {
      await this.delete(id);
      return 1;
    } catch (error) {
      if (isGone(error)) return 0;
      throw error;
    }
  }
}

function isGone(error: unknown): boolean {
  return UploadError.is(error, 'not_found') || UploadError.is(error, 'expired');
}

/** The app itself: it sees everything, and no guard let it in. */
function appCaller(userId: string | null = null): Caller {
  return { userId, restricted: false, request: null, limits: NO_LIMITS };
}

async function* buffers(source: FileSource): AsyncIterable<Buffer> {
  if (source instanceof Uint8Array) {
    yield asBuffer(source);
    return;
  }
  for await (const bytes of source) yield asBuffer(bytes);
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
