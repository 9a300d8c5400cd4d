import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from './progress.js';

/** Ends one thing that was started; `cut` says that nobody waits for its users any more. */
export type Closer = (cut: boolean) => Promise<void>;

/** Thrown between two steps of the boot when the process was asked to stop. */
export class StopRequested extends Error {
  override readonly name = 'StopRequested';
}

/** What a terminal sends and npm passes on is one Ctrl-C, though two signals arrive. */
const SAME_KEYSTROKE_MS = 500;

/** How long a second Ctrl-C waits for the database to go down in order. */
const CUT_LIMIT_MS = 5_000;

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Ends what was started, last first, when the process is told to stop: at the first signal in order, at a second one
 * at once. During the boot the step at hand ends first, so that nothing is left half started.
 */
export class Shutdown {
  readonly #closers: Closer[] = [];
  #requestedAt: number | null = null;
  #boot: Promise<unknown> = Promise.resolve();

  /** How long running chunks may go on; undefined while there can be none. */
  graceMs: number | undefined;

  constructor(private readonly log: Log) {}

  /** Listens for signals from now on. */
  listen(): void {
    for (const signal of SIGNALS) process.on(signal, () => void this.#onSignal());
  }

  /** Whether the process was told to stop. */
  get requested(): boolean {
    return this.#requestedAt !== null;
  }

  /** Runs the boot; a signal waits until it has ended, well or not. */
  async during(boot: Promise<void>): Promise<void> {
    this.#boot = boot.catch(() => undefined);
    await boot;
  }

  /** Registers how to end what was just started. Throws {@link StopRequested} when there is no point in going on. */
  add(closer: Closer): void {
    this.#closers.push(closer);
    this.checkpoint();
  }

  /** Throws {@link StopRequested} when the process was told to stop. */
  checkpoint(): void {
    if (this.requested) throw new StopRequested();
  }

  /** Ends everything that was started; what fails to end does not keep the rest from it. */
  async close(cut = false): Promise<void> {
    for (let closer = this.#closers.pop(); closer; closer = this.#closers.pop()) {
      await closer(cut).catch((error: unknown) => console.error('While stopping:', error));
    }
  }

  async #onSignal(): Promise<void> {
    if (this.#requestedAt === null) {
      this.#requestedAt = Date.now();
      this.log(describeStop(this.graceMs));
      await this.#boot;
      await this.close();
      process.exit(0);
    }
    if (Date.now() - this.#requestedAt < SAME_KEYSTROKE_MS) return;
    this.log('Stopping at once.');
    await Promise.race([this.close(true), sleep(CUT_LIMIT_MS)]);
    process.exit(130);
  }
}

function describeStop(graceMs: number | undefined): string {
  if (graceMs === undefined) return '\nStopping…';
  const seconds = Math.ceil(graceMs / 1000);
  return `\nStopping: letting running chunks finish (up to ${seconds} s)… press Ctrl-C again to cut them`;
}
