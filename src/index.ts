// The module
export { ChunkedUploadModule } from './chunked-upload.module.js';
export { InvalidOptionError } from './option-values.js';
export type {
  ByteSize,
  ChunkedUploadAsyncOptions,
  ChunkedUploadOptions,
  Duration,
  OwnerType,
  UploadSettings,
  UploadShape,
} from './upload-options.js';
export { getUploadTypeToken, InjectUploadType } from './upload-tokens.js';
export { UploadType } from './upload-type.js';
export { UploadHealth, type UploadHealthReport } from './upload-health.js';

// Front doors
export { RestUploadsController } from './protocols/rest/rest.controller.js';
export type { UploadBody } from './protocols/rest/rest.response.js';
export type { UploadPage } from './protocols/rest/rest.door.js';
export type { Problem } from './protocols/http/problem.js';

// Access
export { BasicAuthGuard, type BasicAuthOptions } from './access/basic-auth.guard.js';

// Engine
export { UploadEngine } from './engine/upload-engine.js';
export { CHECKSUM_ALGORITHMS, type ChecksumAlgorithm, type Checksums } from './engine/checksum-algorithm.js';
export type { ChunkWindow } from './engine/chunk-window.js';
export type {
  CompletionContext,
  HookContext,
  UploadDraft,
  UploadHooks,
} from './engine/upload-hooks.interface.js';
export type { Durability, Owner } from './engine/upload-policy.js';
export { UploadEvents, type UploadEventName, type UploadListener } from './events/upload-events.js';

// Storage
export type {
  ByteRange,
  StorageCapabilities,
  StorageDriver,
  StorageState,
  StorageWriter,
  StoredUpload,
} from './storage/storage-driver.interface.js';
export type { StoredObject, SweepableStorage } from './storage/sweepable-storage.js';
export { LocalStorage, type LocalStorageOptions } from './storage/local/local.driver.js';

// Rows
export {
  AbstractChunkedUpload,
  type JsonObject,
  type UploadStatus,
} from './persistence/abstract-chunked-upload.entity.js';
export { ChunkedUpload } from './persistence/chunked-upload.entity.js';
export { chunkedUploadMigrations } from '../migrations/index.js';

// Cleanup
export {
  type CleanupOptions,
  type CleanupReport,
  type TypeReport,
  UploadCleanup,
} from './cleanup/upload-cleanup.js';

export { type SweepOptions, type SweepReport, UploadSweep } from './cleanup/upload-sweep.js';

// Errors
export { UploadError } from './errors/upload-error.js';
export {
  UPLOAD_ERROR_CODES,
  type UploadErrorCode,
  type UploadErrorDetails,
} from './errors/upload-error-code.js';
