import type { HashAnswer, HashQuestion } from './hash.worker.js';
import { hashFile } from './hash-file.js';
import type { ChecksumAlgorithm } from './upload-state.js';

/**
 * Hashes a file beside the page, in hex; on the page where workers are not there or not allowed.
 * Rejects when the file cannot be read, and never when `signal` is aborted.
 */
export async function hashInWorker(
  file: Blob,
  algorithm: ChecksumAlgorithm,
  signal: AbortSignal,
): Promise<string> {
  const answer = await ask({ file, algorithm }, signal).catch(() => null);
  if (answer === null) return hashFile(file, algorithm);
  if ('failure' in answer) throw new Error(answer.failure);
  return answer.hex;
}

/** Rejects when there is no worker. */
function ask(question: HashQuestion, signal: AbortSignal): Promise<HashAnswer> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./hash.worker.js', import.meta.url), { type: 'module' });
    signal.addEventListener('abort', () => worker.terminate(), { once: true });
    worker.onmessage = ({ data }: MessageEvent<HashAnswer>) => {
      worker.terminate();
      resolve(data);
    };
    worker.onerror = () => {
      worker.terminate();
      reject(new Error());
    };
    worker.postMessage(question);
  });
}
