import { orAbort } from './sleep.js';

/** Lets some at a time have a turn, the others in the order they came. */
export class Turns {
  #waiting: (() => void)[] = [];
  #running = 0;

  /** @param most at the same time. */
  constructor(private readonly most: number) {}

  /** Waits for a turn. Returns a function that ends it; call it once. Rejects with the signal's reason. */
  async take(signal: AbortSignal): Promise<() => void> {
    while (this.#running >= this.most) {
      await orAbort(new Promise<void>((resolve) => this.#waiting.push(resolve)), signal);
    }
    this.#running++;
    return () => {
      this.#running--;
      // All of them look again, in their order: some may have left.
      for (const wake of this.#waiting.splice(0)) wake();
    };
  }
}
