import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CompiledSources } from '../../support/compiled-sources.js';
import type { Outcome } from './command-line.js';

const UNTIL_MS = 60_000;

/** What a command is run with. */
export interface Surroundings {
  readonly sources: CompiledSources;
  readonly cwd: string;
  readonly env?: NodeJS.ProcessEnv;
}

/** `npx chunked-upload …` in a process of its own, while it runs. */
export class RunningCommand {
  private readonly stdout: Buffer[] = [];
  private stderr = '';
  /** When it has ended. Its output is not trimmed of anything but the last line's end. */
  readonly outcome: Promise<Outcome & { readonly bytes: Buffer }>;

  private constructor(readonly child: ChildProcessWithoutNullStreams) {
    child.stdout.on('data', (bytes: Buffer) => this.stdout.push(bytes));
    child.stderr.on('data', (text: Buffer) => (this.stderr += text.toString()));
    // A command that ends without reading is no failure of ours.
    child.stdin.on('error', () => undefined);
    this.outcome = new Promise((resolve) =>
      child.once('close', (code, signal) => {
        const bytes = Buffer.concat(this.stdout);
        resolve({ code: signal ?? code, bytes, stdout: bytes.toString().trim(), stderr: this.stderr.trim() });
      }),
    );
  }

  /** Its cache, where it remembers, is in the folder it runs in. */
  static start(args: readonly string[], { sources, cwd, env = {} }: Surroundings): RunningCommand {
    const child = spawn(process.execPath, [sources.path('src/cli/main.ts'), ...args], {
      cwd,
      env: { PATH: process.env.PATH, HOME: cwd, XDG_CACHE_HOME: `${cwd}/.cache`, ...env },
    });
    return new RunningCommand(child);
  }

  /** Runs until `condition` holds. @throws Error when it ends before, or that takes too long. */
  async until(condition: () => boolean | Promise<boolean>): Promise<this> {
    const deadline = Date.now() + UNTIL_MS;
    while (!(await condition())) {
      if (Date.now() > deadline) throw new Error(`Still waiting after ${UNTIL_MS} ms: ${this.stderr}`);
      const ended = await Promise.race([this.outcome, sleep(20)]);
      if (ended && !(await condition())) throw new Error(`Ended too early: ${JSON.stringify(ended)}`);
    }
    return this;
  }

  async kill(signal: NodeJS.Signals): Promise<Outcome> {
    this.child.kill(signal);
    return this.outcome;
  }
}
