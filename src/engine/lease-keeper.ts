import type { Lease } from '../persistence/lease.repository.js';

/** What a keeper needs of the lease repository. */
interface Extender {
  extend(id: string, lease: Lease): Promise<boolean>;
}

/**
 * Extends a lease while `work` runs, three times per its life. `onLost` is called when somebody else has it; a database
 * that does not answer is not a loss yet: the commit will tell.
 */
export async function keepLease<Result>(
  extender: Extender,
  { id, lease, onLost }: { id: string; lease: Lease; onLost: () => void },
  work: () => Promise<Result>,
): Promise<Result> {
  const extend = () => {
    extender.extend(id, lease).then(
      (isHeld) => isHeld || onLost(),
      () => undefined,
    );
  };
  const timer = setInterval(extend, lease.ttlMs / 3).unref();
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}
