import type { IncomingMessage } from 'node:http';
import { idleTimeout } from '../../engine/refusal.js';
import type { UploadError } from '../../errors/upload-error.js';

/**
 * Watches a request that is being read, and calls `onSilence` when nothing has arrived for `idleTimeoutMs`; while the request
 * is paused, it is not the client that is silent.
 * @returns ends the watch.
 */
export function watchSilence(
  request: IncomingMessage,
  idleTimeoutMs: number,
  onSilence: (error: UploadError) => void,
): () => void {
  const onTime = () => (request.isPaused() ? void timer.refresh() : onSilence(idleTimeout()));
  const timer = setTimeout(onTime, idleTimeoutMs);
  const onData = () => timer.refresh();
  request.on('data', onData);
  return () => {
    clearTimeout(timer);
    request.off('data', onData);
  };
}
