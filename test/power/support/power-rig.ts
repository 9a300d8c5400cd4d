import { chmod, mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { readPostmaster } from '../../../src/server/postgres/postmaster.js';
import { type RunningPostgres, startPostgres } from '../../../src/server/postgres/start-postgres.js';
import { childrenOf } from '../../faults/support/own-postgres.js';
import { Program } from '../../faults/support/program.js';
import { command, mount, unmount, unmountAll } from '../../faults/support/root-only.js';
import { createDatabase } from '../../support/test-app.js';

const IMAGE_BYTES = 600 * 2 ** 20;

/** What was acknowledged of one upload. */
export interface Acknowledged {
  readonly bytes: Buffer;
  offset: number;
  isComplete: boolean;
}

interface UploadRow {
  readonly id: string;
  readonly offset: string;
  readonly status: string;
  readonly storage_key: string;
}

/** Storage and database on one disk that can lose its power: an ext4 image in memory, mounted. */
export class PowerRig {
  private base: string;
  private postgres: RunningPostgres;
  private databaseUrl: string;
  server: Program;

  async start(): Promise<void> {
    this.base = await mkdtemp(join(tmpdir(), 'power-'));
    await chmod(this.base, 0o755);
    await mount('tmpfs', this.base, 'size=2g,mode=755');
    for (const name of ['disk', 'copy']) await mkdir(join(this.base, name));
    await writeFile(join(this.base, 'disk.img'), '');
    await truncate(join(this.base, 'disk.img'), IMAGE_BYTES);
    await command('mkfs.ext4', '-q', '-E', 'nodiscard', join(this.base, 'disk.img'));
    // The journal is written when somebody asks for it, and not every five seconds for free.
    await mount(join(this.base, 'disk.img'), join(this.base, 'disk'), 'loop,commit=300');
    this.postgres = await startPostgres({
      directory: join(this.base, 'disk/postgres'),
      log: () => undefined,
    });
    const admin = process.env.TEST_DATABASE_URL;
    process.env.TEST_DATABASE_URL = this.postgres.url;
    this.databaseUrl = (await createDatabase()).url;
    process.env.TEST_DATABASE_URL = admin;
  }

  /** Starts the server, with something broken in it. */
  async serve(breakage?: string): Promise<string> {
    const settings = { root: join(this.base, 'disk/uploads'), databaseUrl: this.databaseUrl };
    const preload = breakage ? ['--import', `./test/power/support/${breakage}.js`] : [];
    const env = { FAULTY_SERVER: JSON.stringify(settings), NODE_OPTIONS: preload.join(' ') };
    this.server = new Program('test/faults/support/faulty-server.ts', env);
    return this.server.origin();
  }

  /** Stops everybody who writes. Synchronous where it counts: nothing is acknowledged after the first signal. */
  freeze(): void {
    this.server.signal('SIGSTOP');
  }

  /** What is on the disk at this moment, as a disk of its own; everybody goes on afterwards. */
  async copyDisk(): Promise<void> {
    const postmaster = (await readPostmaster(join(this.base, 'disk/postgres/cluster/data')))?.pid;
    if (!postmaster) throw new Error('PostgreSQL does not run.');
    // The first one first: it makes no more of them then, and one that ends stays there as a zombie.
    process.kill(postmaster, 'SIGSTOP');
    const backends = await childrenOf(postmaster);
    try {
      for (const pid of backends) process.kill(pid, 'SIGSTOP');
      await command('cp', '--sparse=always', join(this.base, 'disk.img'), join(this.base, 'copy.img'));
    } finally {
      for (const pid of [postmaster, ...backends]) process.kill(pid, 'SIGCONT');
      this.server.signal('SIGCONT');
    }
  }

  /** Starts again from the copy: what is missing of what was acknowledged. */
  async lostInCopy(acknowledged: ReadonlyMap<string, Acknowledged>): Promise<string[]> {
    const copy = join(this.base, 'copy');
    await mount(join(this.base, 'copy.img'), copy, 'loop');
    const directory = join(copy, 'postgres');
    // It names the server on the original, which would be taken for this folder's: its password is the same.
    await rm(join(directory, 'cluster/data/postmaster.pid'), { force: true });
    const postgres = await startPostgres({ directory, log: () => undefined, durable: false });
    try {
      const url = new URL(this.databaseUrl);
      const { host, password } = new URL(postgres.url);
      Object.assign(url, { host, password });
      const client = new pg.Client({ connectionString: url.href });
      await client.connect();
      const { rows } = await client.query<UploadRow>('SELECT * FROM chunked_upload');
      await client.end();
      const byId = new Map(rows.map((row) => [row.id, row]));
      const found = [...acknowledged].map(([id, ack]) =>
        whatIsLost(ack, byId.get(id), join(copy, 'uploads')),
      );
      return (await Promise.all(found)).filter((loss) => loss !== null);
    } finally {
      await postgres.stop({ cut: true });
      await unmount(copy);
      await rm(join(this.base, 'copy.img'), { force: true });
    }
  }

  async stop(): Promise<void> {
    this.server?.signal('SIGKILL');
    await this.server?.end();
    await this.postgres?.stop({ cut: true });
    await unmountAll();
    await rm(this.base, { recursive: true, force: true });
  }
}

async function whatIsLost(
  ack: Acknowledged,
  row: UploadRow | undefined,
  root: string,
): Promise<string | null> {
  if (!row) return `the row, ${ack.offset} bytes acknowledged`;
  if (Number(row.offset) < ack.offset) return `offset ${row.offset} of ${ack.offset}`;
  if (ack.isComplete && row.status !== 'complete') return `completion: ${row.status}`;
  const kind = row.status === 'complete' ? 'done' : 'part';
  const read = (name: string) => readFile(join(root, `${row.storage_key}.${name}`)).catch(() => null);
  // Between rename and commit the file has its final name already; the row's owner looks there too.
  const bytes = (await read(kind)) ?? (kind === 'part' ? await read('done') : null);
  if (!bytes) {
    const folder = join(root, row.storage_key, '..');
    const there = await readdir(folder).catch((error: unknown) => [String(error)]);
    const found = there.filter((name) => name.includes(row.id) || name.startsWith('Error'));
    const acknowledged = `${ack.offset} bytes${ack.isComplete ? ' and the completion' : ''}`;
    return `the ${kind} file, ${acknowledged} acknowledged; there: ${found.join() || 'nothing of it'}`;
  }
  const isIntact = bytes.subarray(0, ack.offset).equals(ack.bytes.subarray(0, ack.offset));
  return isIntact ? null : `bytes: ${bytes.length} stored of ${ack.offset}, or others`;
}
