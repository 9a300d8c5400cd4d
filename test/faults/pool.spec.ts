import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { CompiledSources } from '../support/compiled-sources.js';
import { contentOf, seedOfRun } from '../support/random.js';
import { ServerProcess } from '../crash/support/server-process.js';
import { begin, complete, content, detail, openPut, put, sleep, until } from '../engine/support/client.js';
import { createDatabase, type TestDatabase } from '../support/test-app.js';
import { code, within } from './support/steady-client.js';

const SEED = seedOfRun();
const MEBIBYTE = 2 ** 20;
const SLOW_CLIENTS = 50;
const SLOW_BYTES = 120;
const FIRST = 100;
/** Whoever waits for a connection is refused after 5 s. */
const LIMIT_MS = 4_500;
/** The reference server has no setting for it: this is an app on the module like it, in a process like it. */
const POOL_SIZE = 2;

describe(`a pool of ${POOL_SIZE} connections and ${SLOW_CLIENTS} clients that send a byte every 100 ms`, () => {
  let database: TestDatabase;
  let root: string;
  let program: CompiledSources;
  let server: ServerProcess;
  let observer: pg.Client;

  beforeAll(async () => {
    [database, root, program] = await Promise.all([
      createDatabase(),
      mkdtemp(join(tmpdir(), 'pool-')),
      CompiledSources.compile('test/crash'),
    ]);
    server = new ServerProcess(program);
    await server.start({ databaseUrl: database.url, root, leaseTtlMs: 3_000, poolSize: POOL_SIZE });
    observer = new pg.Client({ connectionString: database.url });
    await observer.connect();
    await observer.query('CREATE TABLE effect (upload_id uuid NOT NULL)');
  }, 60_000);
  afterAll(async () => {
    await server?.kill();
    await observer?.end();
    await database?.drop();
    await program?.remove();
    await rm(root, { recursive: true, force: true });
  });

  const slowContent = (number: number) => contentOf(SEED + number, FIRST + SLOW_BYTES);

  /** One upload whose second chunk takes twelve seconds. */
  async function slowUpload(number: number): Promise<string> {
    const whole = slowContent(number);
    const path = await begin(server, whole.subarray(0, FIRST), whole.length);
    const chunk = openPut(server, SLOW_BYTES, { path, start: FIRST, total: whole.length });
    for (const byte of whole.subarray(FIRST)) {
      await chunk.send(Buffer.from([byte]));
      await sleep(100);
    }
    chunk.end();
    expect(code(await within(5_000, chunk.answer))).toBe('200 uploading');
    expect(code(await complete(server, path, whole))).toBe('200 complete');
    return path;
  }

  /** Sessions of the server that are in a transaction while it waits for clients. */
  async function inTransaction(): Promise<string[]> {
    const sql = `SELECT state, query FROM pg_stat_activity
      WHERE datname = current_database() AND pid <> pg_backend_pid() AND state LIKE 'idle in transaction%'`;
    const { rows } = await observer.query<{ state: string; query: string }>(sql);
    return rows.map(({ state, query }) => `${state}: ${query}`);
  }

  async function timed(work: () => Promise<void>): Promise<number> {
    const startedAt = performance.now();
    await work();
    return performance.now() - startedAt;
  }

  it('others are served at once, no transaction is open meanwhile, and all 50 finish', async () => {
    let isOver = false;
    const slow = Promise.all(Array.from({ length: SLOW_CLIENTS }, (_, number) => slowUpload(number)));
    void slow.catch(() => undefined).finally(() => (isOver = true));
    // Of second chunks: while an upload is created, its first one has a lease too.
    const leases = `SELECT 1 FROM chunked_upload WHERE lease_token IS NOT NULL AND "offset" = ${FIRST}`;
    await until(async () => (await observer.query(leases)).rowCount === SLOW_CLIENTS, 8_000);
    const big = contentOf(SEED - 1, 5 * MEBIBYTE);
    const looks: number[] = [];
    const uploads: number[] = [];
    const open: string[] = [];
    while (!isOver && (await observer.query(leases)).rowCount === SLOW_CLIENTS) {
      let path = '';
      uploads.push(await timed(async () => void (path = await begin(server, big, big.length))));
      looks.push(await timed(async () => void expect((await detail(server, path)).status).toBe(200)));
      open.push(...(await inTransaction()));
      await sleep(100);
    }
    expect(looks.length).toBeGreaterThanOrEqual(3);
    expect(Math.max(...looks)).toBeLessThan(LIMIT_MS);
    expect(Math.max(...uploads)).toBeLessThan(LIMIT_MS);
    expect(open).toEqual([]);
    for (const [number, path] of (await slow).entries())
      expect((await content(server, path)).equals(slowContent(number))).toBe(true);
    expect((await put(server, big.subarray(0, 10))).status).toBe(200);
  }, 60_000);
});
