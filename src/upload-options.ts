import type { CanActivate, ConfigurableModuleAsyncOptions, Type } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { ChecksumAlgorithm } from './engine/checksum-algorithm.js';
import type { Durability } from './engine/upload-policy.js';
import type { HookContext, UploadHooks } from './engine/upload-hooks.interface.js';
import type { AbstractChunkedUpload, JsonObject } from './persistence/abstract-chunked-upload.entity.js';
import type { FormPostUploadsController } from './protocols/form-post/form-post.controller.js';
import type { RestUploadsController } from './protocols/rest/rest.controller.js';
import type { StorageDriver } from './storage/storage-driver.interface.js';
import type { StorageFolder } from './storage/storage-key.js';
import type { UploadErrorCode } from './errors/upload-error-code.js';

/** Milliseconds as a number, or a duration in the notation of the `ms` package: `'30s'`, `'12h'`, `'1d'`. */
export type Duration = number | string;

/** Bytes as a number, or a size in the notation of the `bytes` package: `'64kb'`, `'5mb'`, `'2gb'` (powers of 1024). */
export type ByteSize = number | string;

/** A value, or how to find it for one request. */
export type PerRequest<Value> = Value | ((context: HookContext) => Value | Promise<Value>);

/** One wire protocol of an upload type. */
export type UploadDoor = 'rest' | 'form-post';

/** How answers are written, for clients that want something else than JSON as `application/json`. */
export interface ResponseFormat {
  /** @default 'application/json' */
  readonly contentType?: string;
  /** @default JSON.stringify */
  readonly encode?: (body: unknown) => string;
}

/** A domain object an upload may belong to. */
export interface OwnerType {
  /** The entity whose row must exist. */
  readonly entity: Type<object>;
  /** Whether this user may attach an upload to that row; not asked for what the app itself does. @default everyone */
  readonly authorize?: (context: HookContext & { readonly ownerId: string }) => boolean | Promise<boolean>;
  /**
   * What becomes of its uploads, complete ones too, when that row is deleted, however it is: `'delete'` has the next
   * cleanup delete them. @default 'keep'
   */
  readonly onDelete?: 'keep' | 'delete';
}

/**
 * What shapes the module: controllers, routes and providers. Nest needs these while it scans modules, so they are
 * given directly, in `forRootAsync` too.
 */
export interface UploadShape<Entity extends AbstractChunkedUpload = AbstractChunkedUpload> {
  /** The entity that records uploads; `false`: all upload types come by `forFeature`. @default ChunkedUpload */
  readonly entity?: Type<Entity> | false;
  /** Route of the REST endpoint. @default 'upload' */
  readonly path?: string;
  /** Protocols that are spoken. @default ['rest'] */
  readonly doors?: readonly UploadDoor[];
  /** Route of the form-post endpoint; completion is at `<formPostPath>_complete`. @default 'chunked_upload' */
  readonly formPostPath?: string;
  /** Your subclass of the REST controller, to change a step. @default RestUploadsController */
  readonly controller?: Type<RestUploadsController>;
  /** Your subclass of the form-post controller. @default FormPostUploadsController */
  readonly formPostController?: Type<FormPostUploadsController>;
  /** Version of the routes, as in `@Controller({ version })`. @default none */
  readonly version?: string | string[];
  /** Guards of every route; they run before a byte of the body is read. @default [] */
  readonly guards?: readonly (Type<CanActivate> | CanActivate)[];
  /** Class decorators for the controller, such as `SkipThrottle()`. @default [] */
  readonly decorators?: readonly ClassDecorator[];
  /** Name of the TypeORM data source. @default the default data source */
  readonly dataSource?: string;
  /** Cron expression of the cleanup job, or `false` for none. @default '*\/10 * * * *' */
  readonly cleanup?: string | false;
  /** Makes the module's exports injectable everywhere; `forFeature` in another module needs it. @default true */
  readonly isGlobal?: boolean;
}

/** What values the module works with; `forRootAsync` may compute them. */
export interface UploadSettings<
  Entity extends AbstractChunkedUpload = AbstractChunkedUpload,
> extends UploadHooks<Entity, EntityManager> {
  /** Where bytes go. @default new LocalStorage({ root: 'chunked_uploads' }) */
  readonly storage?: StorageDriver;
  /**
   * Folder in the storage, by date codes as in `strftime` (`%Y %m %d %H %M %S %j`) or from a function; letters, digits and
   * `. _ -` between slashes. @default '%Y/%m/%d'
   */
  readonly folder?: StorageFolder;
  /** The caller's id, or null when nobody is signed in. @default `request.user`'s `id`, or its `sub` */
  readonly resolveUser?: (request: unknown) => string | null | Promise<string | null>;
  /** Uploads of others do not exist for a caller. @default true */
  readonly userRestricted?: PerRequest<boolean>;
  /** Callers without a user may upload; they share what has no user. @default false */
  readonly anonymous?: boolean;
  /** Domain objects that uploads may belong to, by `owner_type`. @default {} */
  readonly owners?: Readonly<Record<string, OwnerType>>;
  /** Largest file. @default unlimited */
  readonly maxBytes?: PerRequest<ByteSize>;
  /** Smallest file. @default 0 */
  readonly minBytes?: PerRequest<ByteSize>;
  /** Largest chunk. @default unlimited */
  readonly maxChunkBytes?: PerRequest<ByteSize>;
  /** Most unfinished uploads of one user; callers without a user count as one. @default unlimited */
  readonly maxOpenUploads?: number;
  /** Most bytes in one user's unfinished uploads, as declared, or as received while no size is declared. @default unlimited */
  readonly maxOpenBytes?: ByteSize;
  /** Longest file name, in UTF-8 bytes, 255 at most. @default 255 */
  readonly maxFilenameBytes?: number;
  /** Extensions a file name may end in, with or without a dot, in any case. @default all */
  readonly allowedExtensions?: PerRequest<readonly string[]>;
  /** Media types, `image/*` included; checked against the declared type and the first bytes. @default all */
  readonly allowedMimeTypes?: PerRequest<readonly string[]>;
  /** Time after the last chunk when an unfinished upload expires. @default '1d' */
  readonly expiresIn?: Duration;
  /** Algorithms computed while receiving; a client completes with any of them. `false`: none, none asked. @default 'md5' */
  readonly checksum?: ChecksumAlgorithm | readonly ChecksumAlgorithm[] | false;
  /** Whether a chunk without `Content-Range` is refused or taken for the whole file. @default 'required' */
  readonly contentRange?: 'required' | 'optional';
  /** Name of the multipart part that holds the bytes. @default 'file' */
  readonly fileField?: string;
  /**
   * `'chunk'`: an acknowledged chunk survives a power cut and a crash of PostgreSQL. `'complete'`: only a completed file
   * does. @default 'chunk'
   */
  readonly durability?: Durability;
  /** A chunk that receives nothing for this long is ended; what arrived of a raw body is kept. @default '60s' */
  readonly idleTimeout?: Duration;
  /** How long a writer that went silent keeps others out. @default '30s' */
  readonly leaseTtl?: Duration;
  /**
   * How long a process keeps the right to write an upload whose chunks come one behind the other, so that the next one costs
   * one statement instead of two; whoever else asks for it gets it. At most a fifth of `leaseTtl`; `0`: never. @default '1s'
   */
  readonly leaseLinger?: Duration;
  /** How long running chunks may go on when the app closes. @default '10s' */
  readonly shutdownGrace?: Duration;
  /** Keeps the row of an expired upload, so that its id answers 410 instead of 404. @default false */
  readonly keepRecords?: boolean;
  /** Origin and path that returned urls start with. @default as the framework sees the request */
  readonly publicUrl?: string;
  /** Changes what is told about an upload; what it returns (JSON) is the body. @default the body as it is */
  readonly render?: (body: JsonObject, upload: Entity, context: HookContext) => unknown;
  /** How bodies are written. @default JSON */
  readonly response?: ResponseFormat;
  /** HTTP status by error code, e.g. `{ offset_mismatch: 409 }`. @default {} */
  readonly statusOverrides?: Readonly<Partial<Record<UploadErrorCode, number>>>;
}

/** Options of `ChunkedUploadModule.forRoot`. */
export type ChunkedUploadOptions<Entity extends AbstractChunkedUpload = AbstractChunkedUpload> =
  UploadShape<Entity> & UploadSettings<Entity>;

/** An upload type of `ChunkedUploadModule.forFeature`: its shape, and its settings directly or from a factory. */
export type UploadFeature<Entity extends AbstractChunkedUpload = AbstractChunkedUpload> = Omit<
  UploadShape<Entity>,
  'entity' | 'path' | 'isGlobal'
> &
  UploadSettings<Entity> &
  Partial<
    Pick<ConfigurableModuleAsyncOptions<UploadSettings<Entity>>, 'imports' | 'inject' | 'useFactory'>
  > & {
    readonly entity: Type<Entity>;
    readonly path: string;
  };

/** Options of `ChunkedUploadModule.forRootAsync`: the shape directly, the settings from a factory. */
export type ChunkedUploadAsyncOptions<Entity extends AbstractChunkedUpload = AbstractChunkedUpload> =
  UploadShape<Entity> & ConfigurableModuleAsyncOptions<UploadSettings<Entity>>;
