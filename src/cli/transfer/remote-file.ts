import { parse } from 'content-disposition';
import { ChunkedUploadError } from '../../client/chunked-upload-error.js';
import {
  CHECKSUM_ALGORITHMS,
  type ChecksumAlgorithm,
  type Checksums,
} from '../../engine/checksum-algorithm.js';
import { toFilename } from '../../engine/file-name.js';
import type { HttpClient } from './http-client.js';
import type { HttpRetries } from './http-retries.js';

/** A complete upload as its server describes it. */
export interface RemoteFile {
  /** Where its bytes are. */
  readonly contentUrl: URL;
  /** A name for it in a folder: never a path, and never hidden. */
  readonly filename: string;
  /** Bytes; null where the server does not say. */
  readonly sizeBytes: number | null;
  /** Names these bytes, strongly; null without one, and then nothing can be gone on with. */
  readonly etag: string | null;
  /** What the whole has to have; empty where the server has none. */
  readonly checksums: Checksums;
}

/** With what a `PartFile` puts behind it, it is a name that every file system takes. */
const MAX_FILENAME_BYTES = 200;

/**
 * Asks about an upload.
 * @param url of the upload, or of its content.
 * @throws ChunkedUploadError `incomplete` for an upload that is still going on, and as {@link HttpClient.get}.
 */
export async function describeRemote(url: URL, http: HttpClient, retries: HttpRetries): Promise<RemoteFile> {
  const uploadUrl = new URL(url);
  uploadUrl.pathname = url.pathname.replace(/\/content\/?$/, '').replace(/\/$/, '');
  const contentUrl = new URL(uploadUrl);
  contentUrl.pathname += '/content';
  const detail = await retries.run(() => detailOf(uploadUrl, http));
  if (detail.status === 'uploading' || detail.status === 'completing') {
    throw new ChunkedUploadError(
      'incomplete',
      'The upload is not complete yet; there is nothing to download.',
    );
  }
  const head = await retries.run(() => http.get(contentUrl, { method: 'HEAD' }));
  const length = head.header('Content-Length');
  const etag = head.header('ETag');
  return {
    contentUrl,
    filename: safeName(nameIn(head.header('Content-Disposition'))),
    sizeBytes: length === null ? null : Number(length),
    etag: etag?.startsWith('"') ? etag : null,
    checksums: checksumsIn(detail.checksums),
  };
}

/** A name that somebody else chose, as one of a file that is safe to write here. */
export function safeName(name: string): string {
  // What begins with a dot is hidden, and read by programs that nobody started for it.
  return endOf(toFilename(name.slice(-MAX_FILENAME_BYTES), Infinity))
    .replace(/^\.+/, '_')
    .replace(/[<>:"|?*]/g, '_');
}

/** As much of a name's end, where its extension is, as a file may be called. */
function endOf(name: string): string {
  const bytes = Buffer.from(name);
  let start = Math.max(0, bytes.length - MAX_FILENAME_BYTES);
  // Not within a character: what goes on with one begins with the bits 10.
  while (((bytes[start] ?? 0) & 0xc0) === 0x80) start += 1;
  return bytes.toString('utf8', start);
}

/** What the upload says of itself; an app may show less of it. */
async function detailOf(url: URL, http: HttpClient): Promise<Readonly<Record<string, unknown>>> {
  const answer = await http.get(url, { Accept: 'application/json' });
  const pieces: Buffer[] = [];
  for await (const piece of answer.body()) pieces.push(piece);
  try {
    return Object(JSON.parse(Buffer.concat(pieces).toString())) as Record<string, unknown>;
  } catch {
    throw new ChunkedUploadError('http', 'There is no upload at this address.', { status: answer.status });
  }
}

function nameIn(header: string | null): string {
  return header === null ? '' : (parse(header).parameters.filename ?? '');
}

function checksumsIn(value: unknown): Checksums {
  const given = Object.entries(Object(value) as Record<string, unknown>);
  const known = given.filter(
    ([name, hex]) => CHECKSUM_ALGORITHMS.includes(name as ChecksumAlgorithm) && typeof hex === 'string',
  );
  return Object.fromEntries(known);
}
