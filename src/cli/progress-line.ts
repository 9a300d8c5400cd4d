const INTERVAL_MS = 200;

/** One line of stderr that is written again and again; nothing where that is no terminal, since logs need no progress. */
export class ProgressLine {
  private shownAt = 0;

  show(text: string): void {
    if (!process.stderr.isTTY || Date.now() - this.shownAt < INTERVAL_MS) return;
    this.shownAt = Date.now();
    process.stderr.write(`\r\u001b[K${text}`);
  }

  /** Wipes it, so that what comes next has a line of its own. */
  clear(): void {
    if (this.shownAt > 0) process.stderr.write('\r\u001b[K');
    this.shownAt = 0;
  }
}
