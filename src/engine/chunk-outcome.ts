import { UploadError } from '../errors/upload-error.js';
import type { StopRequest } from './active-writes.js';
import type { ReceiveOutcome } from './chunk-receiver.js';
import { type ChunkWindow, lengthOf } from './chunk-window.js';
import { idleTimeout } from './refusal.js';
import { chunkTooLarge, tooLarge, type UploadLimits } from './upload-policy.js';

/** What is wrong with a chunk that ended like this; null for nothing. */
export function outcomeRefusal(
  { limits, window }: { limits: UploadLimits; window: ChunkWindow | null },
  outcome: ReceiveOutcome,
  received: number,
): UploadError | null {
  switch (outcome.kind) {
    case 'ended':
      return window && received !== lengthOf(window) ? lengthMismatch(window, `${received}`) : null;
    case 'broken':
      // Multipart that is not well-formed breaks with its own error; a lost connection has nobody left to tell.
      return UploadError.is(outcome.cause)
        ? outcome.cause
        : lengthMismatch(window, `only ${received}`, outcome.cause);
    case 'idle':
      return idleTimeout();
    case 'excess':
      if (window) return lengthMismatch(window, 'more');
      return received > limits.maxChunkBytes ? chunkTooLarge(limits) : tooLarge(limits);
    case 'aborted':
      return (outcome.reason as StopRequest).error;
  }
}

function lengthMismatch(window: ChunkWindow | null, arrived: string, cause?: unknown): UploadError {
  const announced = window ? `Content-Range announces ${lengthOf(window)} bytes` : 'The body is not whole';
  return new UploadError('length_mismatch', `${announced}, but ${arrived} arrived.`, { cause });
}
