import { readdir, readFile } from 'node:fs/promises';
import pg from 'pg';
import { readPostmaster } from '../../../src/server/postgres/postmaster.js';
import { KillablePostgres } from '../../crash/support/killable-postgres.js';
import { until } from '../../engine/support/client.js';

/** Longer than any stop or recovery of an almost empty database. */
const PATIENCE_MS = 20_000;

/** A PostgreSQL of a suite's own, to be stopped, killed, frozen and cut off. */
export class OwnPostgres {
  private frozen: readonly number[] = [];

  private constructor(
    private readonly postgres: KillablePostgres,
    private readonly dataDirectory: string,
  ) {}

  static async start(): Promise<OwnPostgres> {
    const postgres = await KillablePostgres.start();
    const [row] = await query<{ data_directory: string }>(postgres.url, 'SHOW data_directory');
    return new OwnPostgres(postgres, row?.data_directory ?? '');
  }

  /** Stays the same over restarts. */
  get url(): string {
    return this.postgres.url;
  }

  query<Row extends object>(sql: string): Promise<Row[]> {
    return query<Row>(this.url, sql);
  }

  /** SIGTERM, which lets nobody in any more but waits for its clients for `politeMs`; then SIGINT, which does not. */
  async stopInOrder(politeMs: number): Promise<void> {
    const pid = await this.postmaster();
    process.kill(pid, 'SIGTERM');
    await new Promise((resolve) => setTimeout(resolve, politeMs));
    process.kill(pid, 'SIGINT');
    await until(async () => (await readPostmaster(this.dataDirectory)) === null, PATIENCE_MS);
  }

  kill(): Promise<void> {
    return this.postgres.kill();
  }

  async restart(): Promise<void> {
    await this.postgres.restart();
  }

  /** Ends every session but the own one; how many those were. */
  async terminateSessions(): Promise<number> {
    const ended = await this.query(
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname IS NOT NULL AND pid <> pg_backend_pid()',
    );
    return ended.length;
  }

  /** Stops all of its processes: connections stay open, connecting still works, nothing is ever answered. */
  async freeze(): Promise<void> {
    const postmaster = await this.postmaster();
    // The first one first: it makes no more of them then.
    process.kill(postmaster, 'SIGSTOP');
    this.frozen = [postmaster, ...(await childrenOf(postmaster))];
    for (const pid of this.frozen) process.kill(pid, 'SIGSTOP');
  }

  thaw(): void {
    for (const pid of this.frozen) process.kill(pid, 'SIGCONT');
    this.frozen = [];
  }

  async stop(): Promise<void> {
    this.thaw();
    await this.postgres.stop();
  }

  private async postmaster(): Promise<number> {
    const postmaster = await readPostmaster(this.dataDirectory);
    if (!postmaster) throw new Error('PostgreSQL does not run.');
    return postmaster.pid;
  }
}

async function query<Row extends object>(url: string, sql: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<Row>(sql)).rows;
  } finally {
    await client.end();
  }
}

/** Processes that `parent` started; one that ended too, until `parent` has asked. */
export async function childrenOf(parent: number): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const parents = pids.map(async (pid) => {
    const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
    return Number(/^PPid:\s*(\d+)/m.exec(status)?.[1]);
  });
  const found = await Promise.all(parents);
  return pids.map(Number).filter((_, index) => found[index] === parent);
}
