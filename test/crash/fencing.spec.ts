import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  begin,
  complete,
  content,
  detail,
  openPut,
  put,
  sleep,
  someBytes,
  until,
} from '../engine/support/client.js';
import { createDatabase, type TestDatabase } from '../support/test-app.js';
import { CompiledSources } from '../support/compiled-sources.js';
import { CrashSite } from './support/crash-site.js';
import { CHUNK_STOPS, COMPLETION_STOPS, Duel } from './support/duel.js';
import { Random, seedOfRun } from '../support/random.js';
import { ServerProcess } from './support/server-process.js';

/** `FENCING_ROUNDS=200 npm run test:guarantees -- test/crash/fencing` is the long version. */
const ROUNDS = Number(process.env.FENCING_ROUNDS ?? 50);
const SEED = seedOfRun();
const QUICK_TTL_MS = 400;
const SLOW_TTL_MS = 3_000;

/** Two processes on one database and one folder. */
describe('two servers', () => {
  let program: CompiledSources;
  let database: TestDatabase;
  let site: CrashSite;
  /** Its leases run out quickly. */
  let quick: ServerProcess;
  let slow: ServerProcess;

  beforeAll(async () => {
    program = await CompiledSources.compile('test/crash');
    [quick, slow] = [new ServerProcess(program), new ServerProcess(program)];
    database = await createDatabase();
    site = await CrashSite.open(database.url);
    const place = { databaseUrl: site.databaseUrl, root: site.root };
    await quick.start({ ...place, leaseTtlMs: QUICK_TTL_MS });
    await slow.start({ ...place, leaseTtlMs: SLOW_TTL_MS });
  }, 60_000);

  afterAll(async () => {
    await Promise.all([quick, slow].map((server) => server?.kill()));
    await site?.close();
    await database?.drop();
    await program?.remove();
  });

  it(
    `a holder that was stopped beyond its lease changes nothing (${ROUNDS} duels)`,
    async () => {
      console.log(`fencing: FENCING_ROUNDS=${ROUNDS}`);
      const random = new Random(SEED);
      for (let round = 0; round < ROUNDS; round++) {
        const duel = new Duel(site, { holder: quick, other: slow }, random.split());
        const pick = <Item>(items: readonly Item[]) => items[(round >> 2) % items.length] as Item;
        if (round % 4 === 3) await duel.overCompletion(pick(COMPLETION_STOPS), QUICK_TTL_MS);
        else if (round % 8 === 6) await duel.overCancellation(pick(CHUNK_STOPS));
        else await duel.overChunk(CHUNK_STOPS[round % CHUNK_STOPS.length] as 'write.half', QUICK_TTL_MS);
      }
    },
    30_000 + ROUNDS * 5_000,
  );

  describe('while the holder cannot answer', () => {
    const first = someBytes(1_000);
    const total = 21_000;

    async function stalled(holder: ServerProcess, path: string) {
      const older = openPut(holder, 20_000, { path, start: 1_000, total });
      await older.send(someBytes(5_000));
      const id = path.split('/').at(-1) ?? '';
      await until(async () => (await site.row(id))?.lease_token != null);
      return older;
    }

    it('others are told to wait, and how long; then they go on', async () => {
      const path = await begin(slow, first, total);
      const older = await stalled(slow, path);
      await slow.stop();
      const stoppedAt = Date.now();
      try {
        const bytes = someBytes(20_000);
        const refused = await put(quick, bytes, { path, start: 1_000, total });
        expect([refused.status, refused.body.code]).toEqual([423, 'busy']);
        const retryAfter = Number(refused.headers['retry-after']);
        expect(retryAfter).toBeGreaterThanOrEqual(1);
        expect(retryAfter).toBeLessThanOrEqual(SLOW_TTL_MS / 1_000);
        expect((await detail(quick, path)).body.offset).toBe(1_000);
        let answer = refused;
        while (answer.status === 423 && Date.now() < stoppedAt + 3 * SLOW_TTL_MS) {
          await sleep(50);
          answer = await put(quick, bytes, { path, start: 1_000, total });
        }
        expect(answer.status).toBe(200);
        // The last time its holder extended it was at most a third of its life ago.
        expect(Date.now() - stoppedAt).toBeGreaterThanOrEqual((SLOW_TTL_MS * 2) / 3 - 100);
        slow.goOn();
        expect((await older.answer).status).toBe(423);
        const whole = Buffer.concat([first, bytes]);
        expect((await complete(slow, path, whole)).status).toBe(200);
        expect((await content(quick, path)).equals(whole)).toBe(true);
      } finally {
        slow.goOn();
        older.reset();
      }
    });

    it('a shorter lease is over sooner', async () => {
      const path = await begin(quick, first, total);
      const older = await stalled(quick, path);
      await quick.stop();
      try {
        await sleep(QUICK_TTL_MS);
        const answer = await put(slow, someBytes(20_000), { path, start: 1_000, total });
        expect(answer.status).toBe(200);
      } finally {
        quick.goOn();
        older.reset();
      }
    });

    it('one that is stopped in the completing transaction keeps nobody waiting for an answer', async () => {
      const whole = someBytes(5_000);
      const path = await begin(quick, whole, whole.length);
      await quick.arm({ at: 'end.before', hit: 1, signal: 'SIGSTOP' });
      const late = complete(quick, path, whole);
      late.catch(() => undefined);
      await quick.stopped();
      try {
        await sleep(QUICK_TTL_MS);
        const answer = await Promise.race([complete(slow, path, whole), sleep(3_000).then(() => null)]);
        expect(answer?.status).toBe(423);
      } finally {
        quick.goOn();
      }
      expect((await late).status).toBe(200);
      expect((await complete(slow, path, whole)).status).toBe(200);
      expect((await site.effects()).get(path.split('/').at(-1) ?? '')).toBe(1);
    });
  });

  it('a newer request on the other server takes over from a client that stalls, within a second', async () => {
    const first = someBytes(1_000);
    const total = 21_000;
    for (const [holder, other] of [
      [slow, quick],
      [quick, slow],
    ] as const) {
      const path = await begin(holder, first, total);
      const older = openPut(holder, 20_000, { path, start: 1_000, total });
      await older.send(someBytes(5_000));
      const id = path.split('/').at(-1) ?? '';
      await until(async () => (await site.row(id))?.lease_token != null);
      const bytes = someBytes(20_000);
      const startedAt = Date.now();
      const answer = await put(other, bytes, { path, start: 1_000, total });
      expect([answer.status, answer.body.offset]).toEqual([200, total]);
      expect(Date.now() - startedAt).toBeLessThan(1_500);
      const ended = await older.answer;
      expect([ended.status, ended.body.code]).toEqual([423, 'taken_over']);
      // It let go, so nothing had to be copied. A short lease may have run out by itself on a busy machine.
      if (holder === slow) expect((await site.row(id))?.generation).toBe(0);
      const whole = Buffer.concat([first, bytes]);
      expect((await complete(holder, path, whole)).status).toBe(200);
      expect((await content(other, path)).equals(whole)).toBe(true);
      older.reset();
    }
  });
});
