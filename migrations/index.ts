import { CreateChunkedUpload1795219200000 } from './1795219200000-create-chunked-upload.js';
import { CreateUploadApiKey1795219300000 } from './1795219300000-create-upload-api-key.js';

/** The migrations of `ChunkedUpload`, for `migrations` of your data source. */
export const chunkedUploadMigrations = [CreateChunkedUpload1795219200000];

/** The migrations of `UploadApiKey`, of their own: only apps with `UploadApiKeysModule` need the table. */
export const uploadApiKeyMigrations = [CreateUploadApiKey1795219300000];
