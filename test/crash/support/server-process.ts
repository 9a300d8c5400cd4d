import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { until } from '../../engine/support/client.js';
import type { CompiledSources } from '../../support/compiled-sources.js';
import type { Failpoint } from './failpoints.js';

/** What a server works with. */
export interface ServerOptions {
  readonly databaseUrl: string;
  readonly root: string;
  readonly leaseTtlMs: number;
  readonly poolSize?: number;
}

type Command =
  | { readonly kind: 'start'; readonly options: ServerOptions }
  | { readonly kind: 'arm'; readonly failpoint: Failpoint | null }
  | { readonly kind: 'cleanup' };

/** What its parent tells a server to do. */
export type Order = Command & { readonly id: number };

/** Servers that are loaded ahead of time, so that a restart takes as long as starting the app. */
export class Standby {
  private readonly loading: ServerProcess[] = [];

  constructor(
    private readonly program: CompiledSources,
    private readonly ahead: number,
  ) {
    this.refill();
  }

  /** The one that has loaded the longest. */
  take(): ServerProcess {
    const server = this.loading.shift() ?? new ServerProcess(this.program);
    this.refill();
    return server;
  }

  async kill(): Promise<void> {
    await Promise.all(this.loading.map((server) => server.kill()));
  }

  private refill(): void {
    while (this.loading.length < this.ahead) this.loading.push(new ServerProcess(this.program));
  }
}

/** A server in a process of its own, to be killed, stopped and let go on. */
export class ServerProcess {
  origin = '';
  /** What it printed: nothing, unless something is wrong. */
  printed = '';
  /** The signal that ended it, or how it exited. */
  readonly ended: Promise<string>;
  hasEnded = false;
  private readonly child: ChildProcess;
  private lastId = 0;

  /** Begins to load the program. */
  constructor(program: CompiledSources) {
    this.child = fork(program.path('test/crash/server.ts'), {
      execArgv: [],
      env: { ...process.env, NODE_OPTIONS: '' },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.child.setMaxListeners(0);
    for (const stream of [this.child.stdout, this.child.stderr])
      stream?.on('data', (text: Buffer) => (this.printed += text.toString()));
    this.ended = once(this.child, 'exit').then(([code, signal]) => {
      this.hasEnded = true;
      return (signal as string | null) ?? `exit ${String(code)}`;
    });
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** Starts the app and waits until it listens. */
  async start(options: ServerOptions): Promise<this> {
    this.origin = (await this.order({ kind: 'start', options })) as string;
    return this;
  }

  async arm(failpoint: Failpoint | null): Promise<void> {
    await this.order({ kind: 'arm', failpoint });
  }

  /** Deletes every unfinished upload that nobody writes. */
  async cleanup(): Promise<void> {
    await this.order({ kind: 'cleanup' });
  }

  /** SIGKILL, and waits until the process is gone. */
  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.ended;
  }

  /** SIGSTOP, and waits until the process stands still. */
  async stop(): Promise<void> {
    this.child.kill('SIGSTOP');
    await this.stopped();
  }

  /** Waits until the process stands still: of its own doing, at a failpoint. */
  stopped(timeoutMs = 5_000): Promise<void> {
    return until(() => this.state() === 'T', timeoutMs);
  }

  goOn(): void {
    this.child.kill('SIGCONT');
  }

  /** The state in proc_pid_stat(5): `T` for stopped. */
  private state(): string {
    const stat = readFileSync(`/proc/${this.pid}/stat`, 'utf8');
    return stat[stat.lastIndexOf(')') + 2] ?? '';
  }

  private order(order: Command): Promise<unknown> {
    const id = ++this.lastId;
    return new Promise((resolve, reject) => {
      const onMessage = (message: { id: number; result?: unknown; error?: string }) => {
        if (message.id !== id) return;
        this.child.off('message', onMessage);
        if (message.error === undefined) resolve(message.result);
        else reject(new Error(`${order.kind}: ${message.error}\n${this.printed}`));
      };
      this.child.on('message', onMessage);
      void this.ended.then((how) => reject(new Error(`${order.kind}: ended by ${how}\n${this.printed}`)));
      this.child.send({ ...order, id });
    });
  }
}
