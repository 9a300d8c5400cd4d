/** Messages that come together are read together. */
const GATHER_MS = 400;

/** Tells screen readers what happened; never how far something came, which they can look up. */
export class Announcer {
  private waiting: string[] = [];

  /** @param region with `role="status"`. */
  constructor(private readonly region: HTMLElement) {}

  say(message: string): void {
    this.waiting.push(message);
    if (this.waiting.length > 1) return;
    setTimeout(() => {
      this.region.textContent = this.waiting.join(' ');
      this.waiting = [];
    }, GATHER_MS);
  }
}
