import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';

/** Clock ticks of /proc/<pid>/stat: 100 a second on every Linux there is. */
const TICKS_PER_SECOND = 100;
const START_TIMEOUT_MS = 60_000;

/** What a server used; null where the system does not tell (anything but Linux). */
export interface Usage {
  readonly cpuSeconds: number | null;
  readonly peakBytes: number | null;
}

/** A server in a process of its own. */
export class ServerProcess {
  private constructor(
    private readonly child: ChildProcess,
    readonly origin: string,
  ) {}

  /** Starts a program that prints `Listening on <origin>`. @throws Error with its output when it does not. */
  static async start(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<ServerProcess> {
    const child = spawn(process.execPath, args, {
      env: { ...process.env, NODE_ENV: 'production', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const output: string[] = [];
    const lines = createInterface({ input: child.stdout });
    child.stderr.on('data', (text: Buffer) => output.push(text.toString()));
    const timer = setTimeout(() => child.kill('SIGKILL'), START_TIMEOUT_MS);
    try {
      for await (const line of lines) {
        output.push(line);
        const origin = /^Listening on (http:\S+)/.exec(line)?.[1];
        // Read on, or the pipe fills up.
        if (origin) return new ServerProcess(child, new URL(origin).origin);
      }
      throw new Error(`${args.join(' ')} did not start:\n${output.join('\n')}`);
    } finally {
      clearTimeout(timer);
      child.stdout.resume();
    }
  }

  /** Forgets the peak so far, so that `usage` is that of what comes next. */
  async resetPeak(): Promise<void> {
    await writeFile(`/proc/${this.child.pid}/clear_refs`, '5').catch(() => undefined);
  }

  /** CPU time since the start, and the peak of resident memory since `resetPeak`. */
  async usage(): Promise<Usage> {
    try {
      const stat = await readFile(`/proc/${this.child.pid}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      const status = await readFile(`/proc/${this.child.pid}/status`, 'utf8');
      const peakKib = Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]);
      return {
        cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND,
        peakBytes: peakKib * 1024,
      };
    } catch {
      return { cpuSeconds: null, peakBytes: null };
    }
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null) return;
    const gone = once(this.child, 'exit');
    this.child.kill('SIGTERM');
    const timer = setTimeout(() => this.child.kill('SIGKILL'), 15_000);
    await gone;
    clearTimeout(timer);
  }
}
