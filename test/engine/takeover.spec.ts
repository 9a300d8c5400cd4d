import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { startTestApp, type TestApp } from '../support/test-app.js';
import {
  begin,
  complete,
  content,
  detail,
  multipart,
  openForm,
  openPut,
  put,
  sleep,
  someBytes,
  until,
} from './support/client.js';
import { filesOf, isLeased, rowOf } from './support/rows.js';

/** A newer request for an upload that an older one is still writing, in one process. */
describe('takeover', () => {
  let app: TestApp;
  const first = someBytes(1000);
  const total = 11_000;

  beforeAll(async () => {
    const resolveUser = (request: unknown) =>
      (request as { headers: Record<string, string | undefined> }).headers['x-user'] ?? null;
    app = await startTestApp({ upload: { resolveUser, idleTimeout: '1s', leaseTtl: '20s' } });
  });
  afterEach(() => void jest.restoreAllMocks());
  afterAll(() => app.close());

  /** A PUT of everything behind `first` that stops after `sent` bytes. */
  async function stalled(path: string, bytes: Buffer, sent: number) {
    const older = openPut(app, bytes.length, { path, start: 1000, total });
    await older.send(bytes.subarray(0, sent));
    await until(() => isLeased(app, path));
    await sleep(30);
    return older;
  }

  it('the newer request at the same offset wins; the older one ends and leaves nothing', async () => {
    const path = await begin(app, first, total);
    const older = await stalled(path, someBytes(10_000), 4000);
    const bytes = someBytes(10_000);
    const answer = await put(app, bytes, { path, start: 1000, total });
    expect([answer.status, answer.body.offset]).toEqual([200, total]);
    const ended = await older.answer;
    expect([ended.status, ended.body.code]).toEqual([423, 'taken_over']);
    expect(ended.headers['retry-after']).toBe('1');
    const whole = Buffer.concat([first, bytes]);
    expect((await complete(app, path, whole)).status).toBe(200);
    expect((await content(app, path)).equals(whole)).toBe(true);
  });

  it('the newer request may go on right behind what the older one had received', async () => {
    const path = await begin(app, first, total);
    const bytes = someBytes(10_000);
    const older = await stalled(path, bytes, 4000);
    const answer = await put(app, bytes.subarray(4000), { path, start: 5000, total });
    expect([answer.status, answer.body.offset]).toEqual([200, total]);
    expect((await older.answer).body.code).toBe('taken_over');
    const whole = Buffer.concat([first, bytes]);
    expect((await complete(app, path, whole)).status).toBe(200);
    expect((await content(app, path)).equals(whole)).toBe(true);
  });

  it('a newer request further on is told where the older one had come to', async () => {
    const path = await begin(app, first, total);
    const bytes = someBytes(10_000);
    const older = await stalled(path, bytes, 4000);
    const answer = await put(app, bytes.subarray(6000), { path, start: 7000, total });
    expect([answer.status, answer.body.code]).toEqual([400, 'offset_mismatch']);
    expect(answer.body).toMatchObject({ offset: 5000, expected_offset: 5000, provided_offset: 7000 });
    expect((await older.answer).body.code).toBe('taken_over');
    expect((await detail(app, path)).body.offset).toBe(5000);
    expect((await put(app, bytes.subarray(4000), { path, start: 5000, total })).status).toBe(200);
    expect((await complete(app, path, Buffer.concat([first, bytes]))).status).toBe(200);
  });

  it('a request for bytes that are there already ends nobody', async () => {
    const path = await begin(app, first, total);
    const bytes = someBytes(10_000);
    const older = await stalled(path, bytes, 4000);
    expect((await put(app, first, { path, start: 0, total })).body).toMatchObject({ expected_offset: 1000 });
    await older.send(bytes.subarray(4000));
    older.end();
    expect((await older.answer).status).toBe(200);
  });

  it('a creation that is repeated under its key in another process takes over', async () => {
    const key = { 'idempotency-key': 'same-again' };
    const bytes = someBytes(total);
    const older = openPut(app, total, { total, headers: key });
    await older.send(bytes.subarray(0, 4000));
    await until(async () => (await app.rows()).some(({ lease_token }) => lease_token !== null));
    const other = await startTestApp({ database: app.database, root: app.root });
    const answer = await put(other, bytes, { headers: key }).finally(() => other.close());
    expect([answer.status, answer.body.offset]).toEqual([200, total]);
    expect((await older.answer).body.code).toBe('taken_over');
    expect((await complete(app, `/upload/${String(answer.body.id)}`, bytes)).status).toBe(200);
    const stored = (await app.rows()).filter(({ idempotency_key }) => idempotency_key !== null);
    expect(stored.map(({ status }) => status)).toEqual(['complete']);
  });

  it('a request of somebody else ends nobody, and finds nothing', async () => {
    const mine = { 'x-user': 'ann' };
    const created = await put(app, first, { total, headers: mine });
    const path = `/upload/${String(created.body.id)}`;
    const bytes = someBytes(10_000);
    const older = openPut(app, bytes.length, { path, start: 1000, total, headers: mine });
    await older.send(bytes.subarray(0, 4000));
    await until(() => isLeased(app, path));
    for (const headers of [{ 'x-user': 'eve' }, { 'x-user': '' }]) {
      expect((await put(app, bytes, { path, start: 1000, total, headers })).status).toBe(404);
    }
    await older.send(bytes.subarray(4000));
    older.end();
    expect((await older.answer).status).toBe(200);
  });

  it('a multipart chunk that is taken over leaves nothing of itself', async () => {
    const path = await begin(app, first, total);
    const older = openForm(app, 10_000, { path, start: 1000, total });
    await older.send(Buffer.concat([multipart().head, someBytes(4000)]));
    await until(() => isLeased(app, path));
    const answer = await put(app, someBytes(10), { path, start: 3000, total });
    expect(answer.body).toMatchObject({ code: 'offset_mismatch', expected_offset: 1000 });
    expect((await older.answer).body.code).toBe('taken_over');
  });

  it('the older chunk that is only being committed is waited for', async () => {
    const path = await begin(app, first, total);
    const { leases } = app.type.engine.context.repositories;
    const commit = leases.commit.bind(leases);
    jest.spyOn(leases, 'commit').mockImplementationOnce(async (given) => {
      await sleep(200);
      return commit(given);
    });
    const bytes = someBytes(10_000);
    const older = put(app, bytes.subarray(0, 4000), { path, start: 1000, total });
    await until(() => isLeased(app, path));
    await sleep(50);
    const newer = put(app, bytes.subarray(4000), { path, start: 5000, total });
    expect((await older).status).toBe(200);
    expect((await newer).status).toBe(200);
    expect((await complete(app, path, Buffer.concat([first, bytes]))).status).toBe(200);
  });

  it('of six different chunks at one offset exactly one wins, and its bytes are the upload’s', async () => {
    for (let round = 0; round < 12; round++) {
      const path = await begin(app, first, 301_000);
      const bodies = Array.from({ length: 6 }, () => someBytes(300_000));
      const answers = await Promise.all(
        bodies.map((bytes) => put(app, bytes, { path, start: 1000, total: 301_000 })),
      );
      const winners = bodies.filter((_, index) => answers[index]?.status === 200);
      expect(winners).toHaveLength(1);
      const losers = answers.filter(({ status }) => status !== 200);
      expect(losers.every(({ status }) => status === 423 || status === 400)).toBe(true);
      const whole = Buffer.concat([first, ...winners]);
      expect((await complete(app, path, whole)).status).toBe(200);
      expect((await content(app, path)).equals(whole)).toBe(true);
      expect(await filesOf(app, path)).toHaveLength(1);
    }
  });

  it('a lease whose claim this process has not heard of yet is not taken for a dead one', async () => {
    const path = await begin(app, first, total);
    const { leases } = app.type.engine.context.repositories;
    const claim = leases.claim.bind(leases);
    // The database has committed the claim, and the answer is on its way: a busy machine, a slow network.
    jest.spyOn(leases, 'claim').mockImplementationOnce(async (...given) => {
      const claimed = await claim(...given);
      await sleep(300);
      return claimed;
    });
    const bodies = [someBytes(10_000), someBytes(10_000)] as const;
    const older = put(app, bodies[0], { path, start: 1000, total });
    await until(() => isLeased(app, path));
    const newer = put(app, bodies[1], { path, start: 1000, total });
    const answers = await Promise.all([older, newer]);
    const winners = bodies.filter((_, index) => answers[index]?.status === 200);
    expect(winners).toHaveLength(1);
    const whole = Buffer.concat([first, ...winners]);
    expect((await complete(app, path, whole)).status).toBe(200);
    expect((await content(app, path)).equals(whole)).toBe(true);
  });

  describe('a multipart chunk whose bytes are all there, but whose end does not come', () => {
    async function endless(path: string) {
      const { head, tail } = multipart();
      const older = openForm(app, 10_000, { path, start: 1000, total });
      await older.send(Buffer.concat([head, someBytes(10_000), tail.subarray(0, -2)]));
      await until(() => isLeased(app, path));
      await sleep(50);
      return older;
    }
    const soon = <T>(promise: Promise<T>, ms: number) =>
      Promise.race([promise, sleep(ms).then(() => 'nothing yet' as const)]);

    it('is ended by the idle timeout', async () => {
      const path = await begin(app, first, total);
      const older = await endless(path);
      expect(await soon(older.answer, 3000)).toMatchObject({ status: 408 });
      expect((await rowOf(app, path))?.offset).toBe('1000');
      older.reset();
    });

    it('is ended by a newer request', async () => {
      const path = await begin(app, first, total);
      const older = await endless(path);
      const newer = put(app, someBytes(10_000), { path, start: 1000, total });
      expect(await soon(newer, 800)).toMatchObject({ status: 200 });
      older.reset();
      await newer;
    });
  });
});
