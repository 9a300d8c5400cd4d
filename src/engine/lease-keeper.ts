import type { Lease } from '../persistence/lease.repository.js';

/** What a keeper needs of the lease repository. */
interface Extender {
  extend(id: string, lease: Lease): Promise<boolean>;
}

/**
 * Extends a lease while `work` runs, three times per its life; the first time, and after a failure, in `firstInMs`. `onLost` is called when
 * somebody else has it; a database that does not answer is not a loss yet: the commit will tell.
 */
export async function keepLease<Result>(
  extender: Extender,
  { id, lease, onLost, firstInMs }: { id: string; lease: Lease; onLost: () => void; firstInMs?: number },
  work: () => Promise<Result>,
): Promise<Result> {
  const everyMs = lease.ttlMs / 3;
  let isOver = false;
  let timer: NodeJS.Timeout | undefined;
  const extendIn = (ms: number) => {
    if (!isOver) timer = setTimeout(extend, ms).unref();
  };
  const extend = () => {
    extender.extend(id, lease).then(
      (isHeld) => (isHeld ? extendIn(everyMs) : onLost()),
      () => extendIn(firstInMs ?? everyMs),
    );
  };
  extendIn(firstInMs ?? everyMs);
  try {
    return await work();
  } finally {
    isOver = true;
    clearTimeout(timer);
  }
}
