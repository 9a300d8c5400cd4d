import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../../engine/support/client.js';

/** A system call of the traced process: what it was, and between which lines of the trace it ran. */
export interface SystemCall {
  readonly name: string;
  /** Arguments, and the result where the call was not interrupted by another thread's line. */
  readonly text: string;
  readonly startedAt: number;
  readonly endedAt: number;
}

/** Why nothing can be traced here; null when it can. */
export async function whyNoStrace(): Promise<string | null> {
  if (process.platform !== 'linux') return 'needs Linux';
  const idle = spawn('sleep', ['60']);
  try {
    const strace = await Strace.attach(idle.pid ?? 0, ['-e', 'trace=none']);
    await strace.detach();
    return null;
  } catch (error) {
    return `needs strace and the right to trace: ${String(error).split('\n')[0]}`;
  } finally {
    idle.kill('SIGKILL');
  }
}

/** strace on a running process: it looks on, or makes system calls fail, until it is detached. */
export class Strace {
  private errors = '';
  private hasFailed = false;

  private constructor(
    private readonly child: ChildProcess,
    private readonly folder: string,
  ) {
    child.stderr?.on('data', (text: Buffer) => void (this.errors += text.toString()));
    child.once('error', (error) => {
      this.errors += error.message;
      this.hasFailed = true;
    });
    child.once('exit', () => (this.hasFailed = true));
  }

  /** Attaches to all threads of `pid`, and waits until it has. */
  static async attach(pid: number, filters: readonly string[]): Promise<Strace> {
    const folder = await mkdtemp(join(tmpdir(), 'strace-'));
    const args = ['-f', '-yy', '-s', '300', '-o', join(folder, 'trace'), ...filters, '-p', String(pid)];
    const strace = new Strace(spawn('strace', args, { stdio: ['ignore', 'ignore', 'pipe'] }), folder);
    try {
      await until(() => strace.hasFailed || /Process \d+ attached/.test(strace.errors));
      if (strace.hasFailed) throw new Error(strace.errors);
      return strace;
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** Lets the process go on without it. What it did meanwhile, in the order in which the calls began. */
  async detach(): Promise<SystemCall[]> {
    if (!this.hasFailed) {
      const exit = once(this.child, 'exit');
      this.child.kill('SIGINT');
      await exit;
    }
    const trace = await readFile(join(this.folder, 'trace'), 'utf8').catch(() => '');
    await rm(this.folder, { recursive: true, force: true });
    return callsIn(trace.split('\n'));
  }
}

/** Of two threads that call at once, strace writes `… <unfinished ...>` and later `<... name resumed>…`. */
function callsIn(lines: readonly string[]): SystemCall[] {
  const calls: { name: string; text: string; startedAt: number; endedAt: number }[] = [];
  const open = new Map<string, (typeof calls)[number]>();
  for (const [at, line] of lines.entries()) {
    const [, thread = '', text = ''] = /^(\d+)\s+(.*)$/.exec(line) ?? [];
    const started = /^(\w+)\(/.exec(text)?.[1];
    const resumed = text.startsWith('<... ') ? open.get(thread) : undefined;
    if (resumed) {
      resumed.endedAt = at;
      resumed.text += text;
      open.delete(thread);
    } else if (started !== undefined) {
      const call = { name: started, text, startedAt: at, endedAt: at };
      calls.push(call);
      if (text.endsWith('<unfinished ...>')) open.set(thread, call);
    }
  }
  return calls;
}
