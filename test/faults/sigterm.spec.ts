import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Random, seedOfRun } from '../support/random.js';
import { sleep } from '../engine/support/client.js';
import { LoadedUpload } from './support/load.js';
import type { ReferenceServer } from './support/reference-server.js';
import { ReferenceSite } from './support/reference-site.js';

const SEED = seedOfRun();
const UPLOADS = 20;
const GRACE_MS = 2_000;
/** Cut chunks have three seconds to sync and commit, lingering answers one, and the process ends. */
const AFTER_GRACE_MS = 5_000;
/** Far longer than the test: a restart that waited for a lease would be seen. */
const LEASE_TTL = '10m';
const FAST_BYTES = 3_000_000;
/** At 10 kB/s: longer than the grace time. */
const SLOW_BYTES = 200_000;

describe(`SIGTERM, with ${UPLOADS} uploads under way`, () => {
  const random = new Random(SEED);
  let site: ReferenceSite;
  let server: ReferenceServer;
  let uploads: readonly LoadedUpload[];
  const isSlow = (number: number) => number % 2 === 0;
  const start = () =>
    site.start({
      CHUNKED_UPLOAD_SHUTDOWN_GRACE: String(GRACE_MS),
      CHUNKED_UPLOAD_LEASE_TTL: LEASE_TTL,
    });

  beforeEach(async () => {
    site = await ReferenceSite.open();
    server = await start();
    uploads = Array.from({ length: UPLOADS }, (_, number) => {
      const seed = random.between(0, 2 ** 31);
      return new LoadedUpload(seed, isSlow(number) ? SLOW_BYTES : FAST_BYTES, isSlow(number));
    });
    await Promise.all(uploads.map((upload) => upload.begin(server)));
  }, 60_000);
  afterEach(() => site?.close(), 30_000);

  /** Signals a server that is busy: how it ended, after how long, and what its clients were told. */
  async function terminate(again: number | null) {
    const told = Promise.all(uploads.map((upload) => upload.upload(server)));
    await sleep(random.between(300, 800));
    const signalledAt = Date.now();
    server.program.signal('SIGTERM');
    if (again !== null) {
      await sleep(again);
      server.program.signal('SIGTERM');
    }
    const { code } = await server.program.end(GRACE_MS + 20_000);
    return { code, tookMs: Date.now() - signalledAt, told: await told };
  }

  /** A new server takes every upload where the old one left it, at once. */
  async function expectNothingLost(): Promise<number[]> {
    server = await start();
    const offsets = await Promise.all(uploads.map((upload) => upload.finish(server)));
    const rows = await site.rows();
    expect(rows.map(({ status, lease_token }) => [status, lease_token])).toEqual(
      uploads.map(() => ['complete', null]),
    );
    expect(rows.filter(({ generation }) => generation > 0)).toEqual([]);
    return offsets;
  }

  it('ends with 0 in time, keeps what had arrived, and goes on after a restart', async () => {
    const { code, tookMs, told } = await terminate(null);
    expect(code).toBe(0);
    expect(tookMs).toBeLessThan(GRACE_MS + AFTER_GRACE_MS);
    const known = [null, '503 shutting_down', 'all sent'];
    expect(told.filter((each) => !known.includes(each))).toEqual([]);
    expect(told).toContain('503 shutting_down');
    // Nobody holds a lease: the process gave back all of them.
    expect((await site.rows()).filter(({ lease_token }) => lease_token !== null)).toEqual([]);
    const offsets = await expectNothingLost();
    // Two seconds of grace at 10 kB/s: kept, though never acknowledged.
    const slow = offsets.filter((_, number) => isSlow(number));
    expect(Math.min(...slow)).toBeGreaterThan(10_000);
  }, 60_000);

  it('twice: ends at once, and loses nothing either', async () => {
    const { code, tookMs } = await terminate(700);
    expect(code).toBe(130);
    expect(tookMs).toBeLessThan(700 + AFTER_GRACE_MS);
    await expectNothingLost();
  }, 60_000);
});
