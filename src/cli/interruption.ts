import { setMaxListeners } from 'node:events';
import { EXIT } from './exit-code.js';

/**
 * Runs what may take long: the first Ctrl-C aborts the signal, and the process ends with 130 when `work` has ended; the
 * second one ends it at once.
 */
export async function interruptible<Result>(work: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
  const controller = new AbortController();
  // Node warns of eleven listeners on one signal; files at a time have more.
  setMaxListeners(0, controller.signal);
  const interrupt = () => {
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    controller.abort();
  };
  process.on('SIGINT', interrupt);
  try {
    return await work(controller.signal);
  } finally {
    process.off('SIGINT', interrupt);
    if (controller.signal.aborted) process.exitCode = EXIT.interrupted;
  }
}
