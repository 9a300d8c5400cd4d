import { createInterface, type Interface } from 'node:readline';
import { UsageError } from './exit-code.js';

/** Questions on the terminal. They go to stderr, so that stdout stays what the command prints. */
export class Dialog {
  private isOver = false;

  private constructor(private readonly terminal: Interface) {
    terminal.once('close', () => (this.isOver = true));
    terminal.once('SIGINT', () => terminal.close());
  }

  /** @throws UsageError without a terminal: there would be nobody to answer. */
  static require(instead: string): void {
    if (process.stdin.isTTY && process.stderr.isTTY) return;
    throw new UsageError(`There is no terminal to ask on. ${instead}`);
  }

  static open(): Dialog {
    return new Dialog(createInterface({ input: process.stdin, output: process.stderr }));
  }

  /** Asks until the answer begins like one of `answers`; null at Ctrl-C and Ctrl-D. */
  async ask<const Answer extends string>(
    question: string,
    answers: readonly Answer[],
  ): Promise<Answer | null> {
    for (;;) {
      const line = await this.line(`${question} [${answers.join('/')}] `);
      if (line === null) return null;
      const given = line.trim().toLowerCase();
      const answer = given === '' ? undefined : answers.find((word) => word.startsWith(given));
      if (answer !== undefined) return answer;
    }
  }

  close(): void {
    this.terminal.close();
  }

  private line(prompt: string): Promise<string | null> {
    if (this.isOver) return Promise.resolve(null);
    return new Promise((resolve) => {
      const end = () => resolve(null);
      this.terminal.once('close', end);
      this.terminal.question(prompt, (line) => {
        this.terminal.off('close', end);
        resolve(line);
      });
    });
  }
}
