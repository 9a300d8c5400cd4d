import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

const HOOKS = './test/support/typescript.js';

/** A program of this project in a process of its own. */
export class Program {
  output = '';
  ended: { code: number | null; signal: string | null } | null = null;
  private readonly child: ChildProcess;

  /** @param around A command to run it under, such as `prlimit`. */
  constructor(script: string, env: Record<string, string>, around: readonly string[] = []) {
    const [file, ...args] = [...around, process.execPath, '--import', HOOKS, script];
    this.child = spawn(file, args, {
      env: { ...process.env, NO_COLOR: '1', ...env },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    for (const stream of [this.child.stdout, this.child.stderr])
      stream?.on('data', (text: Buffer) => void (this.output += text.toString()));
    this.child.once('exit', (code, signal) => (this.ended = { code, signal }));
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** Where it listens, once it does: it says so by message, or in what it prints. */
  async origin(): Promise<string> {
    const told = new Promise<string>((resolve) =>
      this.child.once('message', (message) => resolve((message as { origin: string }).origin)),
    );
    const printed = this.until(/http:\/\/127\.0\.0\.1:\d+|http:\/\/localhost:\d+/);
    return Promise.race([told, printed]);
  }

  /** Waits until it has printed something. */
  async until(pattern: RegExp, ms = 30_000): Promise<string> {
    for (const end = Date.now() + ms; ; await new Promise((resolve) => setTimeout(resolve, 20))) {
      const found = pattern.exec(this.output)?.[0];
      if (found !== undefined) return found;
      if (this.ended || Date.now() > end) throw new Error(`No ${pattern} from the program:\n${this.output}`);
    }
  }

  signal(signal: NodeJS.Signals): void {
    if (!this.ended) this.child.kill(signal);
  }

  /** Waits until it has ended; SIGKILL after `ms`. */
  async end(ms = 20_000): Promise<{ code: number | null; signal: string | null }> {
    if (!this.ended) {
      const limit = setTimeout(() => this.child.kill('SIGKILL'), ms);
      await once(this.child, 'exit');
      clearTimeout(limit);
    }
    return this.ended ?? { code: null, signal: null };
  }

  async stop(): Promise<void> {
    if (!this.ended && this.child.connected) this.child.send('stop');
    else this.signal('SIGTERM');
    await this.end();
  }
}
