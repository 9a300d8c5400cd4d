import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { contentOf, Random, seedOfRun } from '../support/random.js';
import {
  type Answer,
  begin,
  call,
  cancel,
  complete,
  content,
  detail,
  openPut,
  put,
  sleep,
  until,
} from '../engine/support/client.js';
import { OwnPostgres } from './support/own-postgres.js';
import { ReferenceServer } from './support/reference-server.js';
import { code, SteadyClient, within } from './support/steady-client.js';

const SEED = seedOfRun();
const KIBIBYTE = 1024;
/** A connection attempt is given up after 5 s, twice in one request when the lease is to be given back. */
const ANSWER_LIMIT_MS = 15_000;

/** PostgreSQL goes away in every way it can, under two reference servers with uploads in flight. */
describe('PostgreSQL goes away', () => {
  const random = new Random(SEED);
  let postgres: OwnPostgres;
  let folder: string;
  let servers: readonly [ReferenceServer, ReferenceServer];

  beforeAll(async () => {
    [postgres, folder] = await Promise.all([OwnPostgres.start(), mkdtemp(join(tmpdir(), 'postgres-away-'))]);
    const start = (adapter: string) =>
      ReferenceServer.start({
        databaseUrl: postgres.url,
        folder,
        variables: { CHUNKED_UPLOAD_ADAPTER: adapter },
      });
    // One after the other: both would create the tables.
    servers = [await start('express'), await start('fastify')];
  }, 60_000);
  afterAll(async () => {
    await Promise.all((servers ?? []).map((server) => server.kill()));
    await postgres?.stop();
    await rm(folder, { recursive: true, force: true });
  }, 60_000);
  beforeEach(bothListening, 20_000);
  // What a server that died printed says more than the connection it broke.
  afterEach(() =>
    expect(servers.map(({ hasEnded, program }) => hasEnded && program.output)).toEqual([false, false]),
  );

  const someContent = (length: number) => contentOf(random.between(0, 2 ** 31), length);

  /** Both servers hear requests for leases; after an outage they listen again by themselves. */
  async function bothListening(): Promise<void> {
    const listeners = `SELECT pid FROM pg_stat_activity WHERE query LIKE 'LISTEN %'`;
    await until(async () => (await postgres.query(listeners)).length === 2, 10_000);
  }

  /** Clients that upload until they are done, whatever happens. */
  function uploading(chunkBytes = 16 * KIBIBYTE): {
    clients: readonly SteadyClient[];
    done: Promise<unknown>;
  } {
    const clients = Array.from(
      { length: 6 },
      () =>
        new SteadyClient({
          servers: () => servers,
          bytes: someContent(1_000 * KIBIBYTE),
          chunkBytes,
          answerLimitMs: ANSWER_LIMIT_MS,
          random: random.split(),
        }),
    );
    const done = Promise.all(clients.map((client) => client.run()));
    done.catch(() => undefined);
    return { clients, done };
  }

  /** An upload of which a chunk is under way: half of it has been sent. */
  async function underWay(server: ReferenceServer) {
    const whole = someContent(3_000);
    const path = await begin(server, whole.subarray(0, 1_000), whole.length);
    const chunk = openPut(server, 2_000, { path, start: 1_000, total: whole.length });
    await chunk.send(whole.subarray(1_000, 2_000));
    const finish = async (): Promise<Answer> => {
      await chunk.send(whole.subarray(2_000));
      chunk.end();
      return within(ANSWER_LIMIT_MS, chunk.answer);
    };
    return { whole, path, finish };
  }
  type UnderWay = Awaited<ReturnType<typeof underWay>>;

  async function expectFinishable(server: ReferenceServer, { whole, path }: UnderWay): Promise<void> {
    const offset = Number((await detail(server, path)).body.offset);
    expect([1_000, 3_000]).toContain(offset);
    if (offset < whole.length) {
      const rest = await put(server, whole.subarray(offset), { path, start: offset, total: whole.length });
      expect(code(rest)).toBe('200 uploading');
    }
    expect(code(await complete(server, path, whole))).toBe('200 complete');
    expect((await content(server, path)).equals(whole)).toBe(true);
  }

  /** While nobody answers: every request is told so, soon. */
  async function expectUnavailable(server: ReferenceServer, path: string): Promise<void> {
    const asked = [
      detail(server, path),
      put(server, someContent(10)),
      put(server, someContent(2_000), { path, start: 1_000, total: 3_000 }),
      complete(server, path, someContent(10)),
      cancel(server, path),
    ];
    const [health, ...answers] = await within(
      ANSWER_LIMIT_MS,
      Promise.all([call(server, '/health'), ...asked]),
    );
    expect(answers.map(code)).toEqual(asked.map(() => '503 database_unavailable'));
    for (const { headers } of answers) {
      expect(headers['content-type']).toMatch(/^application\/problem\+json/);
      expect(headers['retry-after']).toBe('2');
    }
    expect(health.status).toBe(503);
    expect(JSON.stringify(health.body)).toMatch(/"database":"down"/);
  }

  /** A chunk that another server is in the middle of is taken over well before its lease runs out. */
  async function expectTakeover(): Promise<void> {
    await bothListening();
    const [one, other] = servers;
    const { whole, path } = await underWay(one);
    await sleep(200);
    const askedAt = Date.now();
    const taken = await put(other, whole.subarray(1_000), { path, start: 1_000, total: whole.length });
    expect(code(taken)).toBe('200 uploading');
    expect(Date.now() - askedAt).toBeLessThan(3_000);
    expect(code(await complete(other, path, whole))).toBe('200 complete');
  }

  async function expectRefusals(clients: readonly SteadyClient[]): Promise<void> {
    const refusals = new Set(clients.flatMap(({ refusals: all }) => [...all.keys()]));
    // `offset_mismatch`: the chunk was recorded, only its answer was not; `busy`: the other server still gives up.
    const known = ['503 database_unavailable', '400 offset_mismatch', '423 busy', '423 taken_over'];
    expect([...refusals].filter((each) => !known.includes(each))).toEqual([]);
    expect(refusals).toContain('503 database_unavailable');
    for (const server of servers) expect((await call(server, '/health')).status).toBe(200);
  }

  /** Runs `away`, in which nobody answers, between uploads that began before and end after it. */
  async function outage(away: () => Promise<void>, back: () => Promise<void>): Promise<void> {
    const { clients, done } = uploading();
    const [one, other] = servers;
    const during = await underWay(one);
    const after = await underWay(other);
    await until(() => clients.every(({ acknowledged }) => acknowledged > 0));
    await away();
    try {
      expect(code(await during.finish())).toBe('503 database_unavailable');
      for (const server of servers) await expectUnavailable(server, after.path);
    } finally {
      await back();
    }
    expect(['200 uploading', '503 database_unavailable']).toContain(code(await after.finish()));
    await done;
    await expectRefusals(clients);
    await expectFinishable(one, during);
    await expectFinishable(other, after);
    await expectTakeover();
  }

  it(
    'stopped in order, and started again',
    () =>
      outage(
        () => postgres.stopInOrder(300),
        () => postgres.restart(),
      ),
    60_000,
  );

  it(
    'kill -9, and started again',
    () =>
      outage(
        () => postgres.kill(),
        () => postgres.restart(),
      ),
    60_000,
  );

  it(
    'frozen, with its connections open',
    () =>
      outage(
        () => postgres.freeze(),
        () => Promise.resolve(postgres.thaw()),
      ),
    90_000,
  );

  it('ends every session, again and again', async () => {
    const { clients, done } = uploading(8 * KIBIBYTE);
    const chunk = await underWay(servers[0]);
    await until(() => clients.every(({ acknowledged }) => acknowledged > 0));
    const isTold = () => clients.some(({ refusals }) => refusals.has('503 database_unavailable'));
    // A session that ends while it is idle is replaced without a word: until one ended in the middle of a request.
    for (let round = 0; round < 10 || (round < 100 && !isTold()); round++) {
      // After the round before, there may be none yet.
      await until(async () => (await postgres.terminateSessions()) > 0);
      await sleep(random.between(20, 150));
    }
    expect(['200 uploading', '503 database_unavailable']).toContain(code(await chunk.finish()));
    await done;
    await expectRefusals(clients);
    await expectFinishable(servers[0], chunk);
    await expectTakeover();
  }, 60_000);
});
