import { chmod, chown, mkdir, readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { startPostgres, type RunningPostgres } from '../../src/server/postgres/start-postgres.js';
import { SourceProcess, temporaryFolder } from './server-process.js';

let directory: string;
let dispose: () => Promise<void>;
let lines: string[] = [];
const running: RunningPostgres[] = [];

beforeAll(async () => {
  const made = await temporaryFolder();
  directory = path.join(made.folder, `odd "name" $(x) ü`);
  dispose = made.dispose;
});

afterEach(async () => {
  for (const postgres of running.splice(0)) await postgres.stop({ cut: true });
  lines = [];
});

afterAll(() => dispose());

async function start(durable = false): Promise<RunningPostgres> {
  const postgres = await startPostgres({ directory, durable, log: (line) => lines.push(line) });
  running.push(postgres);
  return postgres;
}

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

const accepts = (url: string): Promise<boolean> =>
  query(url, 'SELECT 1').then(
    () => true,
    () => false,
  );

const pidFile = (): string => path.join(directory, 'cluster/data/postmaster.pid');

const postmasterPid = async (): Promise<number> => Number.parseInt(await readFile(pidFile(), 'utf8'), 10);

/** As PostgreSQL would have written it: owned by the user it runs as. */
async function writePidFile(pid: number | null): Promise<void> {
  const { uid, gid } = await stat(directory);
  await writeFile(
    pidFile(),
    pid === null ? '' : `${pid}\n${directory}/cluster/data\n1\n5432\n\n127.0.0.1\n\nready\n`,
  );
  await chmod(pidFile(), 0o600);
  const minuteAgo = new Date(Date.now() - 60_000);
  await utimes(pidFile(), minuteAgo, minuteAgo);
  if (process.getuid?.() === 0) await chown(pidFile(), uid, gid);
}

describe('startPostgres', () => {
  it('creates the database once, says so, and keeps it', async () => {
    const first = await start();
    await query(first.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    await first.stop();
    const second = await start();
    expect(await query(second.url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
    expect(lines).toEqual([expect.stringMatching(/^Creating the database under /)]);
  });

  it('lets nobody in without the password, which only its owner can read', async () => {
    const { url } = await start();
    const wrong = new URL(url);
    wrong.password = 'guess';
    await expect(query(wrong.href, 'SELECT 1')).rejects.toMatchObject({ code: '28P01' });
    const password = await stat(path.join(directory, 'cluster/password'));
    expect(password.mode & 0o777).toBe(0o600);
  });

  it('is one server for all who start it at the same moment, until the last one stops', async () => {
    const [one, two, three] = await Promise.all([start(), start(), start()]);
    expect([two.url, three.url]).toEqual([one.url, one.url]);
    await one.stop();
    await two.stop();
    expect(await accepts(three.url)).toBe(true);
    await three.stop();
    expect(await accepts(three.url)).toBe(false);
  });

  it('keeps running for a client that is still connected, unless told to cut', async () => {
    const first = await start();
    const client = new pg.Client({ connectionString: first.url });
    client.on('error', () => undefined);
    await client.connect();
    await first.stop();
    expect(lines).toEqual([expect.stringMatching(/keeps running/)]);
    const second = await start();
    expect(second.url).toBe(first.url);
    await second.stop({ cut: true });
    expect(await accepts(second.url)).toBe(false);
  });

  it('finds the server again that outlived a killed process', async () => {
    const holder = SourceProcess.run('test/server/hold-postgres.ts', [directory]);
    const [, url] = await holder.printed(/url=(\S+)/);
    expect(await holder.kill('SIGKILL')).toBe('SIGKILL');
    expect((await start()).url).toBe(url);
  });

  it('recovers when the server was killed too', async () => {
    const first = await start(true);
    await query(first.url, 'CREATE TABLE survived AS SELECT 1 AS one');
    const pid = await postmasterPid();
    process.kill(pid, 'SIGKILL');
    const second = await start();
    expect(await postmasterPid()).not.toBe(pid);
    expect(await query(second.url, 'SELECT one FROM survived')).toEqual([{ one: 1 }]);
  });

  it.each([
    ['a process that is something else', process.pid],
    ['a process that is gone', 4_194_300],
    ['nothing, after a power cut', null],
  ])('is not misled by a postmaster.pid that names %s', async (_what, pid) => {
    await (await start()).stop();
    await writePidFile(pid);
    expect(await accepts((await start()).url)).toBe(true);
  });

  it('removes what a killed creation left', async () => {
    const fresh = path.join(directory, '..', 'fresh');
    await mkdir(path.join(fresh, 'creating-4194300-00c0ffee', 'data'), { recursive: true });
    const postgres = await startPostgres({ directory: fresh, durable: false, log: () => undefined });
    running.push(postgres);
    expect((await readdir(fresh)).sort()).toEqual(['cluster', 'server.log']);
  });

  it('ignores the variables that would lead PostgreSQL astray', async () => {
    const astray = { PGPORT: '1', PGDATA: '/nowhere', PGHOST: '/nowhere', LC_ALL: 'xx_YY', LANG: 'xx_YY' };
    Object.assign(process.env, astray);
    try {
      expect(await accepts((await start()).url)).toBe(true);
    } finally {
      for (const name of Object.keys(astray)) Reflect.deleteProperty(process.env, name);
    }
  });
});
