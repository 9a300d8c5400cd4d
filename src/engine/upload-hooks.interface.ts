import type { AbstractChunkedUpload } from '../persistence/abstract-chunked-upload.entity.js';
import type { ChunkWindow } from './chunk-window.js';

/** What is known of an upload before it exists. */
export interface UploadDraft {
  readonly filename: string;
  readonly contentType: string;
  /** Declared size in bytes; null while unknown. */
  readonly size: number | null;
  readonly userId: string | null;
  readonly ownerType: string | null;
  readonly ownerId: string | null;
}

/** Who asks, and how: `request` is the framework's own request object. */
export interface HookContext {
  readonly userId: string | null;
  readonly request: unknown;
}

/** What a completion hook works with. */
export interface CompletionContext<Manager> extends HookContext {
  /** Runs in the completing transaction: what it writes becomes visible together with the upload, or not at all. */
  readonly manager: Manager;
}

/**
 * Steps the app may refuse, by throwing (a Nest `HttpException`, or an `UploadError`), or take part in. After-the-fact
 * news are events instead.
 */
export interface UploadHooks<Entity extends AbstractChunkedUpload, Manager = unknown> {
  /**
   * Before an upload is created: for a raw body before a byte is read, for a multipart one when all its fields are
   * there. May return columns to set, such as `metadata` or those of your own entity. When that entity has columns that
   * must not be null, it runs before the bytes of a multipart body, of a chunk too whose `upload_id` stands behind them, and
   * again if fields behind them tell something else.
   */
  readonly beforeCreate?: (
    draft: UploadDraft,
    context: HookContext,
  ) => Partial<Entity> | undefined | void | Promise<Partial<Entity> | undefined | void>;
  /** Before a chunk is appended to an upload, and before a byte of it is read. */
  readonly beforeChunk?: (
    upload: Entity,
    window: ChunkWindow | null,
    context: HookContext,
  ) => void | Promise<void>;
  /**
   * Sees the first bytes of every chunk before they are stored: a few kilobytes, or all there are. Throwing refuses the
   * chunk, and nothing of it is kept.
   */
  readonly inspectChunk?: (upload: Entity, firstBytes: Buffer, context: HookContext) => void | Promise<void>;
  /** Before a fully received upload is completed, its checksum compared already. */
  readonly beforeComplete?: (upload: Entity, context: HookContext) => void | Promise<void>;
  /**
   * In the completing transaction, once per upload. What it returns (JSON) is the answer of the completing request, and
   * of every repetition; `undefined`: the upload itself.
   */
  readonly onComplete?: (upload: Entity, context: CompletionContext<Manager>) => unknown;
}
