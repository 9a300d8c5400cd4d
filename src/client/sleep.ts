/** Timers count up to 2^31; told of more, they end at once. */
const LONGEST_MS = 2e9;

/** Waits, 23 days at most; rejects with the signal's reason when it is aborted. */
export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  let timer: ReturnType<typeof setTimeout>;
  const wait = new Promise<void>((resolve) => (timer = setTimeout(resolve, Math.min(ms, LONGEST_MS))));
  return orAbort(wait, signal).finally(() => clearTimeout(timer));
}

/** Waits until the signal is aborted, by a listener with these options. */
export function aborted(signal: AbortSignal, options?: AddEventListenerOptions): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), options);
  });
}

/** Waits for work that cannot be stopped; rejects with the signal's reason when it is aborted first. */
export function orAbort<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  const over = new AbortController();
  return Promise.race([
    work,
    aborted(signal, { signal: over.signal }).then(() => {
      throw signal.reason;
    }),
  ]).finally(() => over.abort());
}

/** A signal that follows another one, so many ms later as `delayMs` says in that moment. */
export function later(signal: AbortSignal, delayMs: () => number): AbortSignal {
  const follower = new AbortController();
  signal.addEventListener('abort', () => {
    const timer = setTimeout(() => follower.abort(signal.reason), delayMs()) as { unref?(): void };
    // Node would wait for it, also when nothing is left to be aborted.
    timer.unref?.();
  });
  return follower.signal;
}
