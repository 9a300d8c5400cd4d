import type { Checksum } from './checksum.js';
import type { ChunkedUploadError } from './chunked-upload-error.js';
import { jsonIn } from './json-body.js';
import type { Piece } from './platform.js';
import { idIn } from './upload-address.js';
import type { UploadResult } from './upload-state.js';
import type { Wire } from './wire.js';

/** What completing an upload takes. */
export interface Completion<Part extends Piece> {
  readonly wire: Wire<Part>;
  readonly checksum: Checksum;
  readonly url: string;
  readonly filename: string;
  /** Bytes. */
  readonly size: number;
  readonly signal: AbortSignal;
}

/**
 * Completes an upload that is whole. One that is complete gives the same answer again, if it has this checksum.
 * @throws ChunkedUploadError, or the signal's reason when it is aborted.
 */
export async function complete<Part extends Piece>(completion: Completion<Part>): Promise<UploadResult> {
  const { wire, checksum, url, filename, size, signal } = completion;
  const value = await checksum.value(signal);
  const body = JSON.stringify(value ? { [value.algorithm]: value.hex } : {});
  const headers = { 'Content-Type': 'application/json' };
  try {
    const answer = await wire.send({ method: 'POST', url, headers, body, signal });
    return { id: idIn(url), url, filename, size, checksum: value, body: jsonIn(answer.text) };
  } catch (error) {
    // Only here an upload that is complete already says which checksum it has.
    const { code, problem } = error as Partial<ChunkedUploadError>;
    if (value || code !== 'checksum_missing' || !checksum.offer(problem?.algorithms ?? null)) throw error;
    return complete(completion);
  }
}
