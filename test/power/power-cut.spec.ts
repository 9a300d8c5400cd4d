import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { Random, seedOfRun } from '../support/random.js';
import { complete, put, someBytes } from '../engine/support/client.js';
import { itUnless, whyNoMounts } from '../faults/support/root-only.js';
import { type Acknowledged, PowerRig } from './support/power-rig.js';

/** `POWER_ROUNDS=500 npm run test:guarantees -- test/power` for the long version. */
const ROUNDS = Number(process.env.POWER_ROUNDS ?? 20);
/** Within so many rounds a broken server must be found out. */
const CONTROL_ROUNDS = 30;

const notHere = await whyNoMounts('loop');
const itOnRig = itUnless(notHere);
const random = new Random(seedOfRun());

/** Uploads one file after another, in chunks, and notes what was acknowledged. */
class Uploader {
  readonly acknowledged = new Map<string, Acknowledged>();
  onCompletion: (() => void) | null = null;
  private isStopped = false;
  private running: Promise<void>;

  constructor(private readonly origin: string) {
    this.running = this.run();
  }

  /** Ends it; a request that is under way is not waited for. */
  async stop(): Promise<void> {
    this.isStopped = true;
    await this.running;
  }

  private async run(): Promise<void> {
    while (!this.isStopped) {
      const bytes = someBytes(1 + random.below(200_000));
      await this.upload(bytes).catch(() => sleep(5));
    }
  }

  private async upload(bytes: Buffer): Promise<void> {
    let path: string | undefined;
    let ack: Acknowledged | undefined;
    for (let start = 0; start < bytes.length && !this.isStopped;) {
      const chunk = bytes.subarray(start, start + 1 + random.below(100_000));
      const place = { start, total: bytes.length, ...(path && { path }) };
      const { status, body } = await put({ origin: this.origin }, chunk, place);
      if (status !== 200) throw new Error(`A chunk was refused: ${status}`);
      path = `/upload/${String(body.id)}`;
      start += chunk.length;
      ack ??= { bytes, offset: 0, isComplete: false };
      ack.offset = start;
      this.acknowledged.set(String(body.id), ack);
    }
    if (!path || !ack || this.isStopped) return;
    const { status } = await complete({ origin: this.origin }, path, bytes);
    if (status !== 200) throw new Error(`A completion was refused: ${status}`);
    ack.isComplete = true;
    this.onCompletion?.();
  }
}

describe('a power cut', () => {
  const rig = new PowerRig();
  beforeAll(async () => {
    if (notHere === null) await rig.start();
  }, 60_000);
  afterAll(() => rig.stop(), 60_000);

  /** Cuts the power again and again, until something is lost or the rounds are over. */
  async function cuts(rounds: number, breakage?: string) {
    const origin = await rig.serve(breakage);
    const uploader = new Uploader(origin);
    const result = { rounds: 0, checked: 0, completed: 0, lost: [] as string[] };
    try {
      while (result.rounds < rounds && result.lost.length === 0) {
        await sleep(200 + random.below(400));
        // Either anywhere, or in the moment behind a completion, when its rename is the last thing that happened.
        if (random.chance(0.5))
          await new Promise<void>((resolve) => (uploader.onCompletion = () => (rig.freeze(), resolve())));
        else rig.freeze();
        uploader.onCompletion = null;
        const acknowledged = new Map([...uploader.acknowledged].map(([id, ack]) => [id, { ...ack }]));
        await rig.copyDisk();
        result.lost = await rig.lostInCopy(acknowledged);
        result.rounds++;
        result.checked += acknowledged.size;
        result.completed += [...acknowledged.values()].filter(({ isComplete }) => isComplete).length;
      }
      return result;
    } finally {
      await uploader.stop();
      await rig.server.stop();
      process.stdout.write(`power cut, ${breakage ?? 'as shipped'}: ${JSON.stringify(result)}\n`);
    }
  }

  itOnRig(
    `${ROUNDS} cuts lose nothing that was acknowledged`,
    async () => {
      const { rounds, lost, completed } = await cuts(ROUNDS);
      expect(lost).toEqual([]);
      expect(rounds).toBe(ROUNDS);
      expect(completed).toBeGreaterThan(ROUNDS);
    },
    60_000 + ROUNDS * 10_000,
  );

  for (const breakage of ['without-datasync', 'without-folder-sync'])
    itOnRig(
      `finds out a server ${breakage.replaceAll('-', ' ')}`,
      async () => expect((await cuts(CONTROL_ROUNDS, breakage)).lost.length).toBeGreaterThan(0),
      300_000,
    );
});
