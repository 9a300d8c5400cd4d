/** One line of stderr that is written again and again; a line each where that is no terminal. */
export class Progress {
  private readonly startedAt = Date.now();

  show(text: string): void {
    const seconds = Math.round((Date.now() - this.startedAt) / 1000);
    const line = `[${String(seconds).padStart(4)} s] ${text}`;
    process.stderr.write(process.stderr.isTTY ? `\r\u001b[K${line}` : `${line}\n`);
  }

  end(): void {
    if (process.stderr.isTTY) process.stderr.write('\r\u001b[K');
  }
}
