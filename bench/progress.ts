/** How often a line is written where it stays. */
const LINE_EVERY_MS = 5_000;

/** One line of stderr that is written again and again; a line now and then where that is no terminal. */
export class Progress {
  private readonly startedAt = Date.now();
  private shownAt = 0;

  show(text: string): void {
    if (!process.stderr.isTTY && Date.now() - this.shownAt < LINE_EVERY_MS) return;
    this.shownAt = Date.now();
    const seconds = Math.round((Date.now() - this.startedAt) / 1000);
    const line = `[${String(seconds).padStart(4)} s] ${text}`;
    process.stderr.write(process.stderr.isTTY ? `\r\u001b[K${line}` : `${line}\n`);
  }

  end(): void {
    if (process.stderr.isTTY) process.stderr.write('\r\u001b[K');
  }
}
