import { sleep } from './sleep.js';

const LOOK_EVERY_MS = 2000;
/** Longer than a chunk takes with the default chunk size. */
const QUIET_MS = 20_000;
/** Enough for whoever goes on with large chunks on a slow line. */
const LONGEST_QUIET_MS = 10 * 60_000;

/** What an onlooker sees. */
export interface Sight {
  readonly offset: number;
  readonly isWhole: boolean;
}

/**
 * Lets another client go on with the same upload. Taking it back at once, two clients would end each other's chunks for
 * ever; so it is taken only when nothing has arrived for a while, and each time it is lost again that while doubles.
 */
export class Onlooker {
  #quietMs = QUIET_MS;

  /** Looks on until the other one is done or stopped. Rejects as `look` does, or with the signal's reason. */
  async watch(look: () => Promise<Sight>, signal: AbortSignal): Promise<void> {
    let seen = -1;
    for (let quietMs = 0; quietMs < this.#quietMs; quietMs += LOOK_EVERY_MS) {
      await sleep(LOOK_EVERY_MS, signal);
      const { offset, isWhole } = await look();
      if (isWhole) return;
      if (offset > seen) quietMs = 0;
      seen = offset;
    }
    this.#quietMs = Math.min(this.#quietMs * 2, LONGEST_QUIET_MS);
  }
}
