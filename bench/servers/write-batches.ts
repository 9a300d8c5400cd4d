import type { Hash } from 'node:crypto';
import { writev } from 'node:fs';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';

const BATCH_BYTES = 1024 * 1024;
const writeVector = promisify(writev);

/** Data events gathered to a mebibyte, one `writev` at the offset each, the next batch gathered meanwhile. */
export function writeBatches(
  source: Readable,
  fd: number,
  { start, hash }: { start: number; hash: Hash | null },
): Promise<void> {
  let batch: Buffer[] = [];
  let batchBytes = 0;
  let position = start;
  let isWriting = false;
  let hasEnded = false;
  return new Promise((resolve, reject) => {
    const flush = () => {
      if (batch.length === 0) return hasEnded ? resolve() : undefined;
      const [full, at] = [batch, position];
      position += batchBytes;
      batch = [];
      batchBytes = 0;
      isWriting = true;
      writeVector(fd, full, at).then(() => {
        isWriting = false;
        if (hasEnded || batchBytes >= BATCH_BYTES) flush();
        source.resume();
      }, reject);
      for (const bytes of hash ? full : []) hash?.update(bytes);
    };
    source.on('data', (bytes: Buffer) => {
      batch.push(bytes);
      batchBytes += bytes.length;
      if (batchBytes < BATCH_BYTES) return;
      if (isWriting) source.pause();
      else flush();
    });
    source.on('end', () => {
      hasEnded = true;
      if (!isWriting) flush();
    });
    source.on('error', reject);
  });
}
