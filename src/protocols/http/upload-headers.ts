import type { AbstractChunkedUpload } from '../../persistence/abstract-chunked-upload.entity.js';
import type { HttpExchange } from './http-exchange.js';

/** Names of the registry for HTTP Digest Fields (RFC 9530, section 5), where they differ from ours. */
const DIGEST_FIELD_NAMES: Readonly<Record<string, string>> = {
  sha1: 'sha',
  sha256: 'sha-256',
  sha512: 'sha-512',
};

/** What a client steers by without reading the body; jQuery-File-Upload goes on from `Range`. */
export function setUploadHeaders(exchange: HttpExchange, upload: AbstractChunkedUpload): void {
  const { offset, size } = upload;
  exchange.setHeader('Cache-Control', 'no-store');
  exchange.setHeader('Upload-Offset', offset);
  if (size !== null) exchange.setHeader('Upload-Length', size);
  if (offset > 0) exchange.setHeader('Range', `bytes=0-${offset - 1}`);
  const wanted = wantedDigests(upload);
  if (wanted !== '') exchange.setHeader('Want-Repr-Digest', wanted);
}

/** By which algorithms the completing request may give its checksum (RFC 9530, section 4); empty for an upload without. */
function wantedDigests({ digestState, status }: AbstractChunkedUpload): string {
  if (status !== 'uploading') return '';
  return Object.keys(digestState ?? {})
    .map((algorithm) => `${DIGEST_FIELD_NAMES[algorithm] ?? algorithm}=10`)
    .join(', ');
}
