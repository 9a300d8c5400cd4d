import assert from 'node:assert/strict';
import { afterAll, beforeAll, describe, it } from '@jest/globals';
import fc from 'fast-check';
import { seedOfRun } from '../support/random.js';
import { virtual } from './support/virtual-sleep.js';
import type { Duel } from './support/duels.js';
import type { Gate } from './support/gates.js';
import type { World } from './support/world.js';

const { UploadError } = await import('../../src/index.js');
const { storedUpload } = await import('../../src/engine/engine-context.js');
const { MemoryDisk, MemoryDriver } = await import('./memory.driver.js');
const { DUELS, OTHER } = await import('./support/duels.js');
const { settle } = await import('./support/fault-gate.js');
const { append, complete, create, CALLER, FILE } = await import('./support/fault-scenarios.js');
const { openGate } = await import('./support/gates.js');
const worlds = await import('./support/world.js');

/** `SCHEDULES=200000 npm run test:guarantees -- test/model/interleavings` is the long run; `SEED` repeats one. */
const SCHEDULES = Number(process.env.SCHEDULES ?? 2_200);
const SEED = seedOfRun();
const PER_DUEL = Math.ceil(SCHEDULES / DUELS.length);

/** What a request may be refused with when another one wins. */
const REFUSALS = [
  'busy',
  'taken_over',
  'offset_mismatch',
  'already_complete',
  'incomplete',
  'not_found',
  'expired',
];

/** Every call waits until it is its turn. What it answers is kept out of the report of a failure: rows are long. */
function gateOf(scheduler: fc.Scheduler): Gate {
  return {
    around: async (call, work) => {
      const answer: Awaited<ReturnType<typeof work>>[] = [];
      const turn = async () => void answer.push(await work());
      await scheduler.scheduleFunction(Object.defineProperty(turn, 'name', { value: call }))();
      return answer[0] as Awaited<ReturnType<typeof work>>;
    },
  };
}

describe('Requests for one upload, interleaved at every call to database and storage', () => {
  let world: World;
  beforeAll(async () => {
    world = await worlds.World.open();
  });
  afterAll(() => world.close());

  async function run(duel: Duel, isOneProcess: boolean, scheduler: fc.Scheduler): Promise<void> {
    await world.reset();
    const disk = new MemoryDisk();
    const healthy = world.boot(new MemoryDriver(disk), openGate);
    const { received, isExpired, stalls } = duel;
    const id = received === null ? '' : (await create(healthy, { isRaw: true })).id;
    if (received === 20) await append(healthy, id, 10);
    if (isExpired && !stalls) await expire();
    const boot = () => {
      const gate = gateOf(scheduler);
      return world.boot(new MemoryDriver(disk, (call) => gate.around(call, () => Promise.resolve())), gate);
    };
    const shared = boot();
    virtual.sleep = () => scheduler.schedule(settle(1), 'sleep');
    const answered: string[] = [];
    const requests = duel.rivals.map((rival) =>
      rival.run(isOneProcess ? shared : boot(), id).then(
        () => void answered.push(rival.name),
        (error: unknown) =>
          assert.ok(REFUSALS.includes(UploadError.is(error) ? error.code : ''), String(error)),
      ),
    );
    if (stalls)
      requests.push(
        ...Array.from({ length: 2 }, () => scheduler.schedule(runOut(), 'a lease runs out').then(runOut)),
      );
    if (isExpired && stalls)
      requests.push(scheduler.schedule(Promise.resolve(), 'the upload expires').then(expire));
    await scheduler.waitFor(Promise.all(requests));
    // Where the time ran out between the look of the cleanup and that of the other one, the next run deletes the upload.
    if (isExpired && stalls) await healthy.cleanup.run();
    await verify(duel, { id, disk, answered });
  }

  async function expire(): Promise<void> {
    await world.dataSource.query(`UPDATE chunked_upload SET expires_at = now() - interval '1 s'`);
  }

  /** The holder is slow: from here its lease is over. */
  async function runOut(): Promise<void> {
    await world.dataSource.query(
      `UPDATE chunked_upload SET lease_expires_at = now() - interval '1 s' WHERE lease_token IS NOT NULL`,
    );
  }

  async function verify(
    duel: Duel,
    {
      id,
      disk,
      answered,
    }: { id: string; disk: InstanceType<typeof MemoryDisk>; answered: readonly string[] },
  ): Promise<void> {
    const { min, max } = duel.winners;
    assert.ok(answered.length >= min && answered.length <= max, `answered: ${answered.join(', ')}`);
    const rows = await world.rows();
    assert.ok(rows.length <= 1, 'one row at most');
    const [row] = rows;
    assert.ok(
      duel.ends(row, answered),
      `ends as ${row?.status} at ${row?.offset}, answered: ${answered.join(', ')}`,
    );
    if (!row) return assert.equal(disk.files.size, 0, 'files without a row');
    assert.equal(row.leaseToken, null, 'a lease is left behind');
    assert.equal(row.effects, row.status === 'complete' ? 1 : 0, 'effects of the completion hook');
    const driver = new MemoryDriver(disk);
    const stored = (await driver
      .read(storedUpload(row), { start: 0, end: row.offset })
      .toArray()) as Buffer[];
    const bytes = Buffer.concat(stored);
    const winner = answered.includes('other chunk') ? OTHER : FILE;
    assert.ok(
      bytes.equals(winner.subarray(0, row.offset)) ||
        (answered.length === 0 && bytes.equals(OTHER.subarray(0, row.offset))),
      'the acknowledged bytes',
    );
    assert.ok(id === '' || row.id === id);
    assert.ok([...disk.files.keys()].every((name) => name.includes(row.id)));
    if (row.status !== 'complete' && bytes.equals(FILE.subarray(0, row.offset)))
      await goOn(disk, row.id, row.offset);
    // A fork that a fenced writer left is deleted with its upload at the latest.
    await world.boot(driver, openGate).engine.cancel(CALLER, row.id);
    assert.equal(disk.files.size, 0, `files left: ${[...disk.files.keys()].join(' ')}`);
  }

  /** The upload can be resumed and completed. */
  async function goOn(disk: InstanceType<typeof MemoryDisk>, id: string, offset: number): Promise<void> {
    const process = world.boot(new MemoryDriver(disk), openGate);
    if (offset < FILE.length) await append(process, id, offset);
    assert.equal((await complete(process, id)).status, 'complete');
    assert.equal((await process.engine.find(CALLER, id)).offset, FILE.length);
  }

  for (const duel of DUELS) {
    it(
      `${duel.name}: ${PER_DUEL} schedules (seed ${SEED})`,
      async () => {
        // After every step, whatever it set going (streams, microtasks) gets to its own next call.
        const act = async (step: () => Promise<unknown>) => {
          await step();
          await settle(2);
        };
        await fc.assert(
          fc.asyncProperty(fc.boolean(), fc.scheduler({ act: act }), (one, scheduler) =>
            run(duel, one, scheduler),
          ),
          { numRuns: PER_DUEL, seed: SEED, endOnFailure: !!process.env.MODEL_NO_SHRINK },
        );
      },
      PER_DUEL * 500,
    );
  }
});
