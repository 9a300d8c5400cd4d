// The module
export { ChunkedUploadModule } from './chunked-upload.module.js';
export { InvalidOptionError } from './option-values.js';
export type {
  ByteSize,
  ChunkedUploadAsyncOptions,
  ChunkedUploadOptions,
  Duration,
  OwnerType,
  PerRequest,
  ResponseFormat,
  UploadDoor,
  UploadFeature,
  UploadSettings,
  UploadShape,
} from './upload-options.js';
export { getUploadsToken, getUploadTypeToken, InjectUploads, InjectUploadType } from './upload-tokens.js';
export { UploadType } from './upload-type.js';
export { UploadTypes } from './upload-types.js';
export { type FileSource, type NewFile, UploadsService } from './uploads.service.js';
export { uploadCors, type UploadCorsOptions } from './upload-cors.js';
export { UploadHealth, type UploadHealthReport } from './upload-health.js';

// Front doors
export { RestUploadsController } from './protocols/rest/rest.controller.js';
export { FormPostUploadsController } from './protocols/form-post/form-post.controller.js';
export type { ChunkAnswer } from './protocols/form-post/form-post.response.js';
export type { UploadBody } from './protocols/rest/rest.response.js';
export type { UploadPage } from './protocols/rest/rest.door.js';
export type { Problem } from './protocols/http/problem.js';

// Access
export { BasicAuthGuard, type BasicAuthOptions } from './access/basic-auth.guard.js';
export { API_KEY_OPTIONS, ApiKeyGuard, type ApiKeyOptions } from './access/api-key.guard.js';
export {
  type ApiKeyDraft,
  type ApiKeyHolder,
  type ApiKeyRecord,
  ApiKeyService,
  type IssuedApiKey,
  type SignedText,
} from './access/api-key.service.js';
export {
  SIGNED_QUERY_OPTIONS,
  SignedQueryGuard,
  type SignedQueryOptions,
} from './access/signed-query.guard.js';
export {
  type CallbackAuthOptions,
  ExternalAuthGuard,
  type ExternalAuthOptions,
  type ServerAuthOptions,
} from './access/external-auth.guard.js';
export type { ExternalUser } from './access/auth-server.js';
export { UploadApiKey } from './access/upload-api-key.entity.js';
export { UploadApiKeysModule, type UploadApiKeysOptions } from './access/upload-api-keys.module.js';

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
export type { Durability, Owner, UploadLimits } from './engine/upload-policy.js';
export { UploadEvents, type UploadEventName, type UploadListener } from './events/upload-events.js';

// Storage
export type {
  ByteRange,
  OpenCommit,
  StorageCapabilities,
  StorageDriver,
  StorageState,
  StorageWriter,
  StoredUpload,
} from './storage/storage-driver.interface.js';
export type { LinkableStorage } from './storage/file-export.js';
export type { NewObject, StorageFolder } from './storage/storage-key.js';
export type { StoredObject, SweepableStorage } from './storage/sweepable-storage.js';
export { LocalStorage, type LocalStorageOptions } from './storage/local/local.driver.js';

// Rows
export {
  AbstractChunkedUpload,
  uploadBase,
  type UserColumn,
  type JsonObject,
  type UploadStatus,
} from './persistence/abstract-chunked-upload.entity.js';
export { ChunkedUpload } from './persistence/chunked-upload.entity.js';
export { chunkedUploadMigrations, uploadApiKeyMigrations } from '../migrations/index.js';

// Cleanup
export {
  type CleanupOptions,
  type CleanupReport,
  type TypeReport,
  UploadCleanup,
} from './cleanup/upload-cleanup.js';

export {
  UploadVerification,
  type Verdict,
  type VerificationOptions,
  type VerifiedUpload,
} from './cleanup/upload-verification.js';
export { CleanupReview, type DueUpload, type ReviewOptions } from './cleanup/cleanup-review.js';
export { type SweepOptions, type SweepReport, UploadSweep } from './cleanup/upload-sweep.js';

// The page
export { ChunkedUploadUiModule } from './upload-ui.module.js';
export type { UploadPageOptions } from './ui/page-options.js';

// Administration
export { ChunkedUploadAdminModule } from './upload-admin.module.js';
export type { UploadAdminOptions } from './admin/admin-options.js';
export type {
  AdminLease,
  AdminUploadBody,
  AdminUploadDetail,
  AdminUploadPage,
} from './admin/admin.response.js';
export type { AdminStatus } from './persistence/admin.repository.js';

// Errors
export { UploadError } from './errors/upload-error.js';
export {
  UPLOAD_ERROR_CODES,
  type UploadErrorCode,
  type UploadErrorDetails,
} from './errors/upload-error-code.js';
