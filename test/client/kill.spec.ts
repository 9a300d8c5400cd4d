import { spawn } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CompiledSources } from '../support/compiled-sources.js';
import { Random, seedOfRun } from '../support/random.js';
import { bytesOf, type FileSpec } from './support/agent.js';
import { startNodeClient } from './support/node-client.js';
import { ClientRig } from './support/rig.js';

const ROUNDS = 10;
const FILE: FileSpec = { name: 'film.bin', bytes: 4 * 1024 * 1024 + 5 };
const SEED = seedOfRun();

describe('A process that uploads and is killed', () => {
  let rig: ClientRig;
  let sources: CompiledSources;
  let folder: string;

  beforeAll(async () => {
    sources = await CompiledSources.compile('test/client/support');
    rig = await ClientRig.start(startNodeClient);
    folder = await mkdtemp(join(tmpdir(), 'killed-client-'));
  });
  afterAll(async () => {
    await rig.stop();
    await sources.remove();
    await rm(folder, { recursive: true, force: true });
  });

  /** What it said until it ended. */
  const run = async (path: string, killAfterMs: number): Promise<string> => {
    const program = sources.path('test/client/support/killed-client.ts');
    const args = [program, path, `${rig.proxy.origin}/upload`, join(folder, 'store')];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let said = '';
    child.stdout.on('data', (text: Buffer) => (said += text.toString()));
    const ended = new Promise((resolve) => child.once('close', resolve));
    await Promise.race([ended, sleep(killAfterMs)]);
    child.kill('SIGKILL');
    await ended;
    return said;
  };

  it(`goes on when it is started again, ${ROUNDS} times (SEED=${SEED})`, async () => {
    const random = new Random(SEED);
    const path = join(folder, FILE.name);
    await writeFile(path, bytesOf(FILE));
    let resumed = 0;
    for (let round = 0; round < ROUNDS; round++) {
      await rig.clear();
      rig.proxy.bytesPerSecond = 4 * 1024 * 1024;
      let said = '';
      for (let kills = 0; !said.includes('complete'); kills++) {
        if (kills > 2) rig.proxy.bytesPerSecond = 0;
        said = await run(path, kills > 2 ? 20_000 : random.between(100, 1200));
        if (said.startsWith('resumed')) resumed += 1;
      }
      // A process killed before it knew the address of its upload leaves one behind, which expires.
      const complete = (await rig.app.rows()).filter(({ status }) => status === 'complete');
      expect(complete.map(({ size }) => Number(size))).toEqual([FILE.bytes]);
      await rig.app.dataSource.query("DELETE FROM chunked_upload WHERE status <> 'complete'");
      await rig.expectStored(FILE);
      expect(await readdir(join(folder, 'store')).catch(() => [])).toEqual([]);
    }
    expect(resumed).toBeGreaterThan(ROUNDS / 2);
  }, 120_000);
});
