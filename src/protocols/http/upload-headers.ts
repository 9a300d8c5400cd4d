import type { AbstractChunkedUpload } from '../../persistence/abstract-chunked-upload.entity.js';
import type { HttpExchange } from './http-exchange.js';

/** What a client steers by without reading the body; jQuery-File-Upload goes on from `Range`. */
export function setUploadHeaders(exchange: HttpExchange, { offset, size }: AbstractChunkedUpload): void {
  exchange.setHeader('Cache-Control', 'no-store');
  exchange.setHeader('Upload-Offset', offset);
  if (size !== null) exchange.setHeader('Upload-Length', size);
  if (offset > 0) exchange.setHeader('Range', `bytes=0-${offset - 1}`);
}
