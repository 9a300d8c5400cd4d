import { StreamableFile } from '@nestjs/common';
import type { Readable } from 'node:stream';
import { UploadError } from '../../errors/upload-error.js';
import type { AbstractChunkedUpload } from '../../persistence/abstract-chunked-upload.entity.js';
import { matchesEtag, parseByteRange } from '../http/byte-range.js';
import { attachment } from '../http/content-disposition.js';
import type { HttpExchange } from '../http/http-exchange.js';
import { normalizeMediaType } from '../http/media-type.js';

/** Opens a part of the file; `end` is exclusive. */
type OpenRange = (range: { start: number; end: number }) => Readable;

/**
 * The finished file: whole, in part (RFC 9110 section 14), or not at all where the client has it already. Always as an
 * attachment that no browser sniffs or runs: what users upload is nobody's page.
 */
export function sendContent(
  exchange: HttpExchange,
  upload: AbstractChunkedUpload,
  open: OpenRange,
): StreamableFile | undefined {
  const size = upload.offset;
  const etag = etagOf(upload);
  exchange.setHeader('ETag', etag);
  exchange.setHeader('Accept-Ranges', 'bytes');
  exchange.setHeader('Cache-Control', 'private, no-cache');
  if (upload.completedAt) exchange.setHeader('Last-Modified', upload.completedAt.toUTCString());
  if (matchesEtag(exchange.header('if-none-match'), etag)) {
    exchange.setStatus(304);
    return undefined;
  }
  const isHead = exchange.incoming.method === 'HEAD';
  // RFC 9110 section 14.2: a Range means something to GET alone.
  const asked = isHead ? undefined : exchange.header('range');
  const range = parseByteRange(asked, size, {
    etag,
    ifRange: exchange.header('if-range'),
  });
  if (range.kind === 'unsatisfiable') {
    exchange.setHeader('Content-Range', `bytes */${size}`);
    throw new UploadError('range_not_satisfiable', `The file has ${size} bytes.`);
  }
  const { start, end } = range.kind === 'part' ? range : { start: 0, end: size };
  if (range.kind === 'part') {
    exchange.setStatus(206);
    exchange.setHeader('Content-Range', `bytes ${start}-${end - 1}/${size}`);
  }
  setFileHeaders(exchange, upload, end - start);
  return isHead ? undefined : new StreamableFile(open({ start, end }));
}

function setFileHeaders(exchange: HttpExchange, upload: AbstractChunkedUpload, length: number): void {
  exchange.setHeader(
    'Content-Type',
    normalizeMediaType(upload.contentType ?? undefined) ?? 'application/octet-stream',
  );
  exchange.setHeader('Content-Length', length);
  exchange.setHeader('Content-Disposition', attachment(upload.filename));
  exchange.setHeader('X-Content-Type-Options', 'nosniff');
  exchange.setHeader('Content-Security-Policy', "default-src 'none'; sandbox");
}

/** Strong: a complete file never changes, and its checksum names its bytes. */
function etagOf({ id, checksums }: AbstractChunkedUpload): string {
  const [strongest] = Object.entries(checksums).sort(([, a], [, b]) => b.length - a.length);
  return strongest ? `"${strongest[0]}-${strongest[1]}"` : `"${id}"`;
}
