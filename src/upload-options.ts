import type { CanActivate, ConfigurableModuleAsyncOptions, Type } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { ChecksumAlgorithm } from './engine/checksum-algorithm.js';
import type { Durability } from './engine/upload-policy.js';
import type { UploadHooks } from './engine/upload-hooks.interface.js';
import type { AbstractChunkedUpload } from './persistence/abstract-chunked-upload.entity.js';
import type { StorageDriver } from './storage/storage-driver.interface.js';
import type { UploadErrorCode } from './errors/upload-error-code.js';

/** Milliseconds as a number, or a duration in the notation of the `ms` package: `'30s'`, `'12h'`, `'1d'`. */
export type Duration = number | string;

/** Bytes as a number, or a size in the notation of the `bytes` package: `'64kb'`, `'5mb'`, `'2gb'` (powers of 1024). */
export type ByteSize = number | string;

/** A domain object an upload may belong to. */
export interface OwnerType {
  /** The entity whose row must exist. */
  readonly entity: Type<object>;
  /** Whether this user may attach an upload to that row. @default everyone who may upload */
  readonly authorize?: (context: { userId: string | null; ownerId: string }) => boolean | Promise<boolean>;
}

/**
 * What shapes the module: controllers, routes and providers. Nest needs these while it scans modules, so they are
 * given directly, in `forRootAsync` too.
 */
export interface UploadShape<Entity extends AbstractChunkedUpload = AbstractChunkedUpload> {
  /** The entity that records uploads. @default ChunkedUpload */
  readonly entity?: Type<Entity>;
  /** Route of the REST endpoint. @default 'upload' */
  readonly path?: string;
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
  /** Makes the module's exports injectable everywhere. @default false */
  readonly isGlobal?: boolean;
}

/** What values the module works with; `forRootAsync` may compute them. */
export interface UploadSettings<
  Entity extends AbstractChunkedUpload = AbstractChunkedUpload,
> extends UploadHooks<Entity, EntityManager> {
  /** Where bytes go. @default new LocalStorage({ root: 'chunked_uploads' }) */
  readonly storage?: StorageDriver;
  /** The caller's id, or null when nobody is signed in. @default `request.user`'s `id`, or its `sub` */
  readonly resolveUser?: (request: unknown) => string | null | Promise<string | null>;
  /** Uploads of others do not exist for a caller. @default true */
  readonly userRestricted?: boolean;
  /** Callers without a user may upload; they share what has no user. @default false */
  readonly anonymous?: boolean;
  /** Domain objects that uploads may belong to, by `owner_type`. @default {} */
  readonly owners?: Readonly<Record<string, OwnerType>>;
  /** Largest file. @default unlimited */
  readonly maxBytes?: ByteSize;
  /** Smallest file. @default 0 */
  readonly minBytes?: ByteSize;
  /** Largest chunk. @default unlimited */
  readonly maxChunkBytes?: ByteSize;
  /** Most unfinished uploads of one user; callers without a user count as one. @default unlimited */
  readonly maxOpenUploads?: number;
  /** Most bytes in one user's unfinished uploads, as declared, or as received while no size is declared. @default unlimited */
  readonly maxOpenBytes?: ByteSize;
  /** Longest file name, in UTF-8 bytes, 255 at most. @default 255 */
  readonly maxFilenameBytes?: number;
  /** Extensions a file name may end in, with or without a dot, in any case. @default all */
  readonly allowedExtensions?: readonly string[];
  /** Media types, `image/*` included; checked against the declared type and the first bytes. @default all */
  readonly allowedMimeTypes?: readonly string[];
  /** Time after the last chunk when an unfinished upload expires. @default '1d' */
  readonly expiresIn?: Duration;
  /** Algorithms computed while receiving; a client completes with any of them. `false`: none, none asked. @default 'md5' */
  readonly checksum?: ChecksumAlgorithm | readonly ChecksumAlgorithm[] | false;
  /** Whether a chunk without `Content-Range` is refused or taken for the whole file. @default 'required' */
  readonly contentRange?: 'required' | 'optional';
  /** Name of the multipart part that holds the bytes. @default 'file' */
  readonly fileField?: string;
  /** `'chunk'`: an acknowledged chunk survives a power cut. `'complete'`: only a completed file does. @default 'chunk' */
  readonly durability?: Durability;
  /** A chunk that receives nothing for this long is ended; what arrived of a raw body is kept. @default '60s' */
  readonly idleTimeout?: Duration;
  /** How long a writer that went silent keeps others out. @default '30s' */
  readonly leaseTtl?: Duration;
  /** How long running chunks may go on when the app closes. @default '10s' */
  readonly shutdownGrace?: Duration;
  /** Keeps the row of an expired upload, so that its id answers 410 instead of 404. @default false */
  readonly keepRecords?: boolean;
  /** Origin and path that returned urls start with. @default as the framework sees the request */
  readonly publicUrl?: string;
  /** HTTP status by error code, e.g. `{ offset_mismatch: 409 }`. @default {} */
  readonly statusOverrides?: Readonly<Partial<Record<UploadErrorCode, number>>>;
}

/** Options of `ChunkedUploadModule.forRoot`. */
export type ChunkedUploadOptions<Entity extends AbstractChunkedUpload = AbstractChunkedUpload> =
  UploadShape<Entity> & UploadSettings<Entity>;

/** Options of `ChunkedUploadModule.forRootAsync`: the shape directly, the settings from a factory. */
export type ChunkedUploadAsyncOptions<Entity extends AbstractChunkedUpload = AbstractChunkedUpload> =
  UploadShape<Entity> & ConfigurableModuleAsyncOptions<UploadSettings<Entity>>;
