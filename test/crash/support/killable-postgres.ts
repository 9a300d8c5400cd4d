import { chmod, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readPostmaster } from '../../../src/server/postgres/postmaster.js';
import { type RunningPostgres, startPostgres } from '../../../src/server/postgres/start-postgres.js';
import { until } from '../../engine/support/client.js';

/** A PostgreSQL of a suite's own, as durable as in production: what it committed has to be there after `kill -9`. */
export class KillablePostgres {
  private constructor(
    private readonly folder: string,
    private running: RunningPostgres,
  ) {}

  static async start(): Promise<KillablePostgres> {
    const folder = await mkdtemp(join(tmpdir(), 'killable-postgres-'));
    // As root, PostgreSQL runs as another user, who has to pass.
    await chmod(folder, 0o755);
    return new KillablePostgres(folder, await launch(folder));
  }

  /** Stays the same over restarts. */
  get url(): string {
    return this.running.url;
  }

  /** `kill -9` of the server and all of its processes: were only the first one killed, the others would live on for a while. */
  async kill(): Promise<void> {
    const postmaster = await readPostmaster(join(this.folder, 'postgres/cluster/data'));
    if (!postmaster) throw new Error('PostgreSQL does not run.');
    const pids = [postmaster.pid, ...(await childrenOf(postmaster.pid))];
    for (const pid of pids) killIfThere(pid);
    await until(async () => (await Promise.all(pids.map(isGone))).every(Boolean), 10_000);
  }

  /** Starts it again on the same files and the same port; it recovers. */
  async restart(): Promise<void> {
    this.running = await launch(this.folder, Number(new URL(this.url).port));
  }

  async stop(): Promise<void> {
    await this.running.stop({ cut: true });
    await rm(this.folder, { recursive: true, force: true });
  }
}

function launch(folder: string, port?: number): Promise<RunningPostgres> {
  return startPostgres({ directory: join(folder, 'postgres'), log: () => undefined, durable: true, port });
}

async function statusOf(pid: number | string): Promise<{ state: string; parent: number } | null> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  if (stat === null) return null;
  const [state = '', parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { state, parent: Number(parent) };
}

async function childrenOf(pid: number): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const parents = await Promise.all(pids.map(async (each) => (await statusOf(each))?.parent));
  return pids.filter((_, index) => parents[index] === pid).map(Number);
}

async function isGone(pid: number): Promise<boolean> {
  const status = await statusOf(pid);
  return status === null || status.state === 'Z';
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Gone already.
  }
}
