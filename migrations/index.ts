import { CreateChunkedUpload1795219200000 } from './1795219200000-create-chunked-upload.js';

/** The migrations of `ChunkedUpload`, for `migrations` of your data source. */
export const chunkedUploadMigrations = [CreateChunkedUpload1795219200000];
