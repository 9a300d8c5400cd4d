import { performance } from 'node:perf_hooks';
import type { HttpClient, Pattern } from '../http-client.js';

/** One upload to be done. */
export interface Job {
  readonly pattern: Pattern;
  readonly sizeBytes: number;
  /** `sizeBytes` for a file that is sent whole. */
  readonly chunkBytes: number;
  /** Of the whole file, in hex. */
  readonly checksum: (algorithm: string) => string;
}

/** What one upload took. */
export interface UploadTiming {
  /** From the first request to the answer to the last chunk. */
  readonly transferMs: number;
  /** Of each chunk, from its first byte to its answer. */
  readonly chunkMs: readonly number[];
  /** Of the completing request; null where the last chunk completes. */
  readonly completionMs: number | null;
}

/** How a client talks to a server of one kind. */
export interface Protocol {
  /** Whether a file may come in chunks; the others take it whole. */
  readonly isChunked: boolean;
  upload(client: HttpClient, job: Job): Promise<UploadTiming>;
}

/** Sends the chunks of a job one behind the other. */
export async function timeChunks(
  { sizeBytes, chunkBytes }: Job,
  send: (start: number, length: number) => Promise<void>,
): Promise<Pick<UploadTiming, 'transferMs' | 'chunkMs'>> {
  const chunkMs: number[] = [];
  const begunAt = performance.now();
  for (let start = 0; start < sizeBytes; start += chunkBytes) {
    const sentAt = performance.now();
    await send(start, Math.min(chunkBytes, sizeBytes - start));
    chunkMs.push(performance.now() - sentAt);
  }
  return { transferMs: performance.now() - begunAt, chunkMs };
}

/** How long a promise takes, in milliseconds. */
export async function timed(work: Promise<unknown>): Promise<number> {
  const begunAt = performance.now();
  await work;
  return performance.now() - begunAt;
}
