import assert from 'node:assert/strict';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import './support/virtual-sleep.js';
import type { FaultGate, FaultKind } from './support/fault-gate.js';
import type { Scenario } from './support/fault-scenarios.js';
import type { Row, SimulatedProcess, World } from './support/world.js';

const { UploadError } = await import('../../src/index.js');
const { storedUpload } = await import('../../src/engine/engine-context.js');
const { MemoryDisk, MemoryDriver } = await import('./memory.driver.js');
const faults = await import('./support/fault-gate.js');
const { gatedDriver, openGate, ProcessDied } = await import('./support/gates.js');
const scenarios = await import('./support/fault-scenarios.js');
const worlds = await import('./support/world.js');
const { CALLER, FILE, SCENARIOS } = scenarios;

/** A row, a disk and a process, as a scenario wants them. */
class Stage {
  readonly disk = new MemoryDisk();
  /** Works whatever happens to the other. */
  readonly healthy: SimulatedProcess;
  id = '';

  constructor(
    private readonly world: World,
    readonly scenario: Scenario,
  ) {
    this.healthy = world.boot(new MemoryDriver(this.disk), openGate);
  }

  async set(): Promise<void> {
    const { received, isComplete, isForked, isExpired, key } = this.scenario;
    if (received === null) return;
    const options = { isRaw: true, end: Math.min(received, 10), ...(key && { key }) };
    this.id = (await scenarios.create(this.healthy, options)).id;
    if (received > 10) await scenarios.append(this.healthy, this.id, 10);
    if (isComplete) await scenarios.complete(this.healthy, this.id);
    if (isForked) {
      await this.sql(
        `lease_token = gen_random_uuid(), lease_holder = 'elsewhere', lease_expires_at = now() - interval '1 s'`,
      );
    }
    if (isExpired) await this.sql(`expires_at = now() - interval '1 s'`);
  }

  /** A process whose `at`-th call fails. */
  faulty(at: number, kind: FaultKind): { process: SimulatedProcess; gate: FaultGate } {
    const gate = new faults.FaultGate(at, kind);
    return { gate, process: this.world.boot(gatedDriver(new MemoryDriver(this.disk), gate), gate) };
  }

  /** The faulty process is seen to be dead, or its lease runs out. */
  async outlive(name: string, isSeen: boolean): Promise<void> {
    if (isSeen) this.world.gone.add(name);
    else await this.sql(`lease_expires_at = now() - interval '1 s' WHERE lease_token IS NOT NULL`);
  }

  async rows(): Promise<Row[]> {
    return this.world.rows();
  }

  private async sql(set: string): Promise<void> {
    await this.world.dataSource.query(`UPDATE chunked_upload SET ${set}`);
  }

  /** Rows and bytes agree; returns the row that matters. */
  async checked(): Promise<Row | undefined> {
    const rows = await this.rows();
    for (const name of this.disk.files.keys()) {
      assert.ok(
        rows.some(({ id, storageKey }) => storageKey && name.includes(id)),
        `${name} has a row`,
      );
    }
    for (const row of rows) {
      if (row.status === 'deleting') continue;
      const range = { start: 0, end: row.offset };
      const pieces = await new MemoryDriver(this.disk).read(storedUpload(row), range).toArray();
      assert.ok(
        Buffer.concat(pieces as Buffer[]).equals(FILE.subarray(0, row.offset)),
        'the acknowledged bytes',
      );
      assert.equal(row.effects, row.status === 'complete' ? 1 : 0, 'effects of the completion hook');
    }
    return rows.find(({ id, status, offset }) =>
      this.id ? id === this.id : offset > 0 && status !== 'deleting',
    );
  }

  /** The next requests of the client: it goes on to the end. */
  async goOn(): Promise<void> {
    const { key, isDeletion, received } = this.scenario;
    if (isDeletion) {
      const answer = await this.healthy.engine.cancel(CALLER, this.id).catch((error: unknown) => error);
      if (answer) assert.ok(UploadError.is(answer, 'not_found') || UploadError.is(answer, 'expired'));
      return;
    }
    if (received === null) {
      // Its client never heard an id: it sends everything again.
      const again = { isRaw: true, ...(key && { key }) };
      this.id = (await scenarios.create(this.healthy, again)).id;
    }
    const { status, offset } = await this.healthy.engine.find(CALLER, this.id);
    if (status !== 'complete' && offset < FILE.length) await scenarios.append(this.healthy, this.id, offset);
    await scenarios.complete(this.healthy, this.id);
    const found = await this.healthy.engine.findComplete(CALLER, this.id);
    const range = { start: 0, end: FILE.length };
    const content = (await this.healthy.engine.read(found, range).toArray()) as Buffer[];
    assert.ok(Buffer.concat(content).equals(FILE), 'the file, whole');
  }

  /** Time passes: of all that is not complete, nothing is left; and of what is, nothing once it is deleted. */
  async end(): Promise<void> {
    for (let round = 0; round < 2; round++) {
      await this.world.jump(25 * worlds.HOUR);
      await this.healthy.cleanup.run();
    }
    const left = (await this.rows()).filter(({ storageKey }) => storageKey !== null);
    assert.ok(
      left.every(({ status }) => status === 'complete'),
      'rows left',
    );
    for (const { id } of left) await this.healthy.engine.cancel(CALLER, id);
    assert.equal(this.disk.files.size, 0, 'files left');
  }
}

describe('Whatever call fails, and however, the upload goes on', () => {
  let world: World;
  beforeAll(async () => {
    world = await worlds.World.open();
  });
  afterEach(() => world.reset());
  afterAll(() => world.close());

  const strikes: string[] = [];
  let struck: string | undefined;

  /** One run with one fault; false when the scenario has no call `at`. */
  async function strike(scenario: Scenario, at: number, kind: FaultKind): Promise<boolean> {
    await world.reset();
    const stage = new Stage(world, scenario);
    await stage.set();
    const { process, gate } = stage.faulty(at, kind);
    const request = scenario.run(process, stage.id).then(
      () => 'answered' as const,
      (error: unknown) => {
        assert.ok(UploadError.is(error) || (gate.isDead && error instanceof ProcessDied), String(error));
        return error;
      },
    );
    await Promise.race([request, gate.hanging]);
    if (gate.struck === undefined) return false;
    struck = gate.struck;
    const isHanging = kind === 'hang';
    const outcome = isHanging ? undefined : await request;
    const row = await stage.checked();
    if (outcome === 'answered' && !scenario.isDeletion)
      assert.equal(row?.offset, scenario.reaches, 'acknowledged');
    if (stage.id && !scenario.isDeletion)
      assert.ok(row && row.offset >= (scenario.received ?? 0), 'monotonic');
    if (row) assert.ok(row.offset <= scenario.reaches);
    // A process that failed and lives on gives its lease back, unless that was what failed.
    if (isHanging || gate.isDead || row?.leaseToken)
      await stage.outlive(process.name, at % 2 === 0 && !isHanging);
    await stage.goOn();
    if (isHanging) {
      gate.letGo();
      await request;
      await faults.settle();
    }
    await stage.checked();
    if (!scenario.isDeletion) {
      const found = await stage.healthy.engine.find(CALLER, stage.id);
      assert.equal(found.status, 'complete');
    }
    await stage.end();
    return true;
  }

  for (const scenario of SCENARIOS) {
    it(
      scenario.name,
      async () => {
        for (const kind of faults.FAULT_KINDS) {
          let at = 1;
          try {
            while (await strike(scenario, at, kind)) {
              strikes.push(`${scenario.name} ${kind} ${at}`);
              at++;
            }
          } catch (error) {
            throw new Error(`${kind}, call ${at} (${struck}): ${(error as Error).message}`, { cause: error });
          }
          expect(at).toBeGreaterThan(1);
        }
      },
      60_000,
    );
  }

  it('did so at every call of every scenario', () => {
    expect(new Set(strikes.map((strike) => strike.replace(/ \d+$/, ''))).size).toBe(
      SCENARIOS.length * faults.FAULT_KINDS.length,
    );
    console.log(`${strikes.length} faults in ${SCENARIOS.length} scenarios`);
  });
});
