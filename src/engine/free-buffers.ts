import { MessageChannel } from 'node:worker_threads';

/** Less is not worth the call. */
const LEAST_BYTES = 16 * 1024;

/** Nobody is at the other end. */
const nowhere = new MessageChannel().port1;
nowhere.close();

/**
 * Gives the memory of buffers back at once, instead of when V8 collects garbage: it sees small objects, and lets tens of
 * mebibytes wait behind them. Their length is 0 afterwards, as that of anything transferred, even to a port that is closed
 * (HTML, section 9.4.4). Parts of larger memory are left alone, and so is everything when one cannot be transferred.
 */
export function freeBuffers(buffers: readonly Buffer[]): void {
  const memories = buffers.filter(hasOwnMemory).map(({ buffer }) => buffer as ArrayBuffer);
  try {
    if (memories.length > 0) nowhere.postMessage(null, memories);
  } catch {
    // What is not freed now is collected later.
  }
}

function hasOwnMemory({ byteLength, buffer }: Buffer): boolean {
  return byteLength >= LEAST_BYTES && byteLength === buffer.byteLength;
}
