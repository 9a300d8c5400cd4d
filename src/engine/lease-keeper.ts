import type { Lease } from '../persistence/lease.repository.js';

/** What a keeper needs of the lease repository. */
interface Extender {
  extend(id: string, lease: Lease): Promise<boolean>;
}

/**
 * Extends a lease while `work` runs, three times per its life, the first time after `firstInMs`. `onLost` is called when
 * somebody else has it; a database that does not answer is not a loss yet: the commit will tell.
 */
export async function keepLease<Result>(
  extender: Extender,
  { id, lease, onLost, firstInMs }: { id: string; lease: Lease; onLost: () => void; firstInMs?: number },
  work: () => Promise<Result>,
): Promise<Result> {
  const everyMs = lease.ttlMs / 3;
  const extend = () => {
    timer = setTimeout(extend, everyMs).unref();
    extender.extend(id, lease).then(
      (isHeld) => isHeld || onLost(),
      () => undefined,
    );
  };
  let timer = setTimeout(extend, firstInMs ?? everyMs).unref();
  try {
    return await work();
  } finally {
    clearTimeout(timer);
  }
}
