import type { HashQuestion } from './hash.worker.js';
import { hashFile } from './hash-file.js';
import type { ChecksumAlgorithm } from './upload-state.js';

/**
 * Hashes a file beside the page, in hex; on the page where workers are not there or not allowed. Rejects when the file
 * cannot be read, and never when `signal` is aborted.
 */
export async function hashInWorker(
  file: Blob,
  algorithm: ChecksumAlgorithm,
  signal: AbortSignal,
): Promise<string> {
  const hex = await ask({ file, algorithm }, signal).catch(() => null);
  // Where the worker could not read the file, the page says why.
  return hex ?? hashFile(file, algorithm);
}

/** Null, or a rejection, when there is no worker, or none that can read the file. */
function ask(question: HashQuestion, signal: AbortSignal): Promise<string | null> {
  return new Promise((resolve) => {
    const worker = new Worker(new URL('./hash.worker.js', import.meta.url), { type: 'module' });
    const end = (hex: string | null) => {
      worker.terminate();
      resolve(hex);
    };
    signal.addEventListener('abort', () => worker.terminate());
    worker.onmessage = ({ data }: MessageEvent<string | null>) => end(data);
    worker.onerror = () => end(null);
    worker.postMessage(question);
  });
}
