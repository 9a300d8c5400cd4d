import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, it } from '@jest/globals';
import fc from 'fast-check';
import { seedOfRun } from '../support/random.js';
import type { Storage } from './support/sequence.js';
import './support/virtual-sleep.js';
import type { World } from './support/world.js';

const { LocalStorage } = await import('../../src/index.js');
const { filesUnder } = await import('../support/test-app.js');
const { MemoryDisk, MemoryDriver } = await import('./memory.driver.js');
const { anyCommands } = await import('./support/any-commands.js');
const { Sequence } = await import('./support/sequence.js');
const { Model } = await import('./support/upload-model.js');
const worldModule = await import('./support/world.js');

/** `MODEL_RUNS=100000 npm run test:guarantees -- test/model/upload.model` is the long run; `SEED` repeats one. */
const RUNS = Number(process.env.MODEL_RUNS ?? 2_000);
const SEED = seedOfRun();
/** Sequences at a time, each on a database of its own: one waits for PostgreSQL while another computes. */
const LANES = 2;

function memoryStorage(): Storage {
  const disk = new MemoryDisk();
  return {
    driver: (step) => new MemoryDriver(disk, step),
    names: () => Promise.resolve([...disk.files.keys()]),
    clear: () => Promise.resolve(disk.files.clear()),
  };
}

async function localStorage(): Promise<Storage> {
  const root = await mkdtemp(join(tmpdir(), 'model-'));
  return {
    driver: () => new LocalStorage({ root }),
    names: () => filesUnder(root).catch(() => []),
    clear: () => rm(root, { recursive: true, force: true }),
  };
}

describe('Random commands of several users, with crashes and clock jumps, agree with the model', () => {
  let worlds: World[];
  beforeAll(async () => {
    worlds = await Promise.all(Array.from({ length: LANES }, () => worldModule.World.open()));
  });
  afterAll(() => Promise.all(worlds.map((world) => world.close())));

  async function explore(open: () => Storage | Promise<Storage>, numRuns: number): Promise<void> {
    const lanes = worlds.map((world, lane) =>
      fc.assert(
        fc.asyncProperty(anyCommands(), async (commands) => {
          const storage = await open();
          const model = new Model();
          const sequence = new Sequence(world, storage);
          try {
            await fc.asyncModelRun(() => ({ model, real: sequence }), commands);
            await sequence.end(model);
          } finally {
            await world.reset();
            await storage.clear();
          }
        }),
        {
          numRuns: Math.ceil(numRuns / LANES),
          seed: SEED + lane,
          endOnFailure: !!process.env.MODEL_NO_SHRINK,
        },
      ),
    );
    // One that fails does not leave the others running into the next test.
    await Promise.allSettled(lanes);
    await Promise.all(lanes);
  }

  it(`in memory: ${RUNS} sequences (seed ${SEED})`, () => explore(memoryStorage, RUNS), RUNS * 500);

  const onDisk = Math.ceil(RUNS / 20);
  it(
    `on the local disk: ${onDisk} sequences (seed ${SEED})`,
    () => explore(localStorage, onDisk),
    RUNS * 500,
  );
});
