import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sleep } from '../engine/support/client.js';
import { CompiledSources } from '../support/compiled-sources.js';
import { CrashSite, idIn } from './support/crash-site.js';
import { type Failpoint, FAILPOINTS } from './support/failpoints.js';
import { KillablePostgres } from './support/killable-postgres.js';
import { Random, seedOfRun } from '../support/random.js';
import { type ServerProcess, Standby } from './support/server-process.js';
import { StubbornClient, Violation, type World } from './support/stubborn-client.js';

/** `KILL_ROUNDS=1000 npm run test:guarantees -- test/crash/kill` is the long version; `SEED=` repeats a run, but for its timing. */
const ROUNDS = Number(process.env.KILL_ROUNDS ?? 50);
const SEED = seedOfRun();
const CLIENTS = 6;
/** Much longer than any round: whoever had to wait for it would be seen. */
const LEASE_TTL_MS = 60_000;

/** `kill -9` of the server, at random moments and at every failpoint, and of PostgreSQL too in every tenth round. */
describe('kill -9', () => {
  const random = new Random(SEED);
  const points = deck(random.split());
  const clients: StubbornClient[] = [];
  const struck: Record<string, number> = {};
  let postgres: KillablePostgres;
  let site: CrashSite;
  let server: ServerProcess;
  let program: CompiledSources;
  let standby: Standby;
  let isOver = false;

  const world: World & { outages: number; isDatabaseAway: boolean } = {
    outages: 0,
    isDatabaseAway: false,
    server: async () => {
      while (!server?.origin || server.hasEnded) await sleep(5);
      return server;
    },
  };

  beforeAll(async () => {
    program = await CompiledSources.compile('test/crash');
    standby = new Standby(program, 2);
    postgres = await KillablePostgres.start();
    site = await CrashSite.open(postgres.url);
    await restart();
  }, 60_000);

  afterAll(async () => {
    await Promise.all([server, standby].map((each) => each?.kill()));
    await site?.close();
    await postgres?.stop();
    await program?.remove();
  }, 60_000);

  const options = () => ({ databaseUrl: site.databaseUrl, root: site.root, leaseTtlMs: LEASE_TTL_MS });

  /** One upload after the other, until the rounds are over. */
  async function uploading(generator: Random): Promise<void> {
    while (!isOver) {
      const client = new StubbornClient(world, generator.split());
      clients.push(client);
      await client.run();
    }
  }

  async function restart(): Promise<void> {
    server = standby.take();
    await server.start(options());
  }

  async function killPostgres(alone: boolean): Promise<void> {
    world.isDatabaseAway = true;
    world.outages++;
    if (!alone) await server.kill();
    await postgres.kill();
    if (!alone) await expectBytes();
    await postgres.restart();
    await site.reconnect();
    world.isDatabaseAway = false;
    world.outages++;
    if (!alone) await restart();
  }

  async function round(number: number): Promise<void> {
    await sleep(random.between(20, 250));
    if (number % 10 === 0) {
      await killPostgres(number % 20 === 0);
    } else if (number % 3 === 0) {
      await server.kill();
      await expectBytes();
      await restart();
    } else {
      const failpoint = points();
      await server.arm(failpoint);
      const how = await Promise.race([server.ended, sleep(60_000)]);
      if (how !== 'SIGKILL')
        throw new Violation(`${JSON.stringify(failpoint)}: ${how ?? 'never reached'}\n${server.printed}`);
      struck[failpoint.at] = (struck[failpoint.at] ?? 0) + 1;
      await expectBytes();
      await restart();
    }
    await expectNoForks();
  }

  /** While nobody serves: every byte that was ever acknowledged is on disk, and is what the client sent. */
  async function expectBytes(): Promise<void> {
    const files = new Map((await site.files()).map((file) => [idIn(file), file]));
    for (const client of clients) {
      if (client.path === null || client.isCancelling || client.acknowledged === 0) continue;
      const file = files.get(client.id);
      const stored = file === undefined ? null : (await site.bytesOf(file)).subarray(0, client.acknowledged);
      if (!stored?.equals(client.acknowledgedBytes)) {
        throw new Violation(`${client.path}: ${client.acknowledged} bytes acknowledged, ${file} has others`);
      }
    }
  }

  /** A dead predecessor is no paused one: nobody copies a file because of it, nor waits for its lease. */
  async function expectNoForks(): Promise<void> {
    const forked = (await site.rows()).filter(({ generation }) => generation !== 0);
    if (forked.length > 0) throw new Violation(`forked: ${JSON.stringify(forked)}`);
    for (let done = clients.findIndex(isDone); done >= 0; done = clients.findIndex(isDone)) {
      const [client] = clients.splice(done, 1);
      if (client) finished.push({ id: client.id, isComplete: client.isComplete, state: client.state });
    }
  }

  const isDone = ({ state }: StubbornClient) => state !== 'uploading';
  const finished: { id: string; isComplete: boolean; state: string }[] = [];

  it(
    `loses nothing in ${ROUNDS} rounds`,
    async () => {
      console.log(`kill -9: KILL_ROUNDS=${ROUNDS}`);
      const uploads = Array.from({ length: CLIENTS }, () => uploading(random.split()));
      const trouble = Promise.all(uploads).then(() => undefined);
      trouble.catch(() => undefined);
      const rounds = async () => {
        for (let number = 1; number <= ROUNDS; number++) await round(number);
        isOver = true;
      };
      try {
        await Promise.race([rounds(), trouble]);
        await trouble;
      } catch (error) {
        throw new Error(`${String(error)}\nThe server printed: ${server.printed}`, { cause: error });
      } finally {
        isOver = true;
      }
      await expectNoForks();
      await expectNothingLeft();
      const completed = finished.filter(({ isComplete }) => isComplete).length;
      console.log(`${finished.length} uploads, ${completed} completed; killed at ${JSON.stringify(struck)}`);
    },
    60_000 + ROUNDS * 10_000,
  );

  /** Everybody is done: what a client does not know of goes with the cleanup, what it completed is there, once. */
  async function expectNothingLeft(): Promise<void> {
    const known = new Set((await site.rows()).map(({ id }) => id));
    expect((await site.files()).filter((file) => !known.has(idIn(file)))).toEqual([]);
    await site.letLeasesRunOut();
    await server.cleanup();
    const rows = await site.rows();
    const kept = finished.filter(({ state }) => state === 'complete').map(({ id }) => id);
    // Complete, and asked to be deleted by a client that never heard whether it was.
    const doubtful = finished.filter(({ state }) => state === 'abandoned').map(({ id }) => id);
    const ids = rows.map(({ id }) => id).sort();
    expect(rows.map(({ status }) => status)).toEqual(rows.map(() => 'complete'));
    expect(ids).toEqual(expect.arrayContaining(kept));
    expect(ids.filter((id) => !kept.includes(id) && !doubtful.includes(id))).toEqual([]);
    const files = await site.files();
    expect(files.map(idIn).sort()).toEqual(ids);
    expect(files.filter((file) => !file.endsWith('.done'))).toEqual([]);
    const effects = await site.effects();
    const completed = finished.filter(({ isComplete }) => isComplete);
    expect(completed.map(({ id }) => effects.get(id))).toEqual(completed.map(() => 1));
    expect([...effects.values()].filter((count) => count !== 1)).toEqual([]);
  }
});

/** Deals every failpoint once before it deals one again. */
function deck(random: Random): () => Failpoint {
  let left: Failpoint['at'][] = [];
  return () => {
    if (left.length === 0) {
      left = FAILPOINTS.filter((name) => name !== 'fork').flatMap((name) => [
        `${name}.before` as const,
        `${name}.after` as const,
      ]);
      left.push('write.half');
    }
    const [at] = left.splice(random.between(0, left.length - 1), 1) as [Failpoint['at']];
    const isFrequent = /^(claim|append|write|sync|commit|published|answer)/.test(at);
    return { at, hit: isFrequent ? random.between(1, 6) : 1, signal: 'SIGKILL' };
  };
}
