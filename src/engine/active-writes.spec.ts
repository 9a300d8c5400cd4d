import { describe, expect, it } from '@jest/globals';
import { ActiveWrites, type StopRequest } from './active-writes.js';

const reasonOf = ({ signal }: { signal: AbortSignal }) => signal.reason as StopRequest | undefined;

/** Whether `promise` is done by now. */
async function isDone(promise: Promise<unknown>): Promise<boolean> {
  const no = Symbol('no');
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
  return (await Promise.race([promise, Promise.resolve(no)])) !== no;
}

describe('ActiveWrites', () => {
  it('a write is there from when it enters until it leaves', () => {
    const active = new ActiveWrites();
    const write = active.enter('a', 'token', 5);
    expect(active.get('a')).toBe(write);
    expect([write.token, write.start, write.isReceiving]).toEqual(['token', 5, true]);
    write.leave();
    expect(active.get('a')).toBeUndefined();
  });

  it('a newer write is not removed when the older one leaves', () => {
    const active = new ActiveWrites();
    const older = active.enter('a', 'old', 0);
    const newer = active.enter('a', 'new', 0);
    older.leave();
    expect(active.get('a')).toBe(newer);
  });

  it.each([
    ['at the same offset drops', 100, false],
    ['further on keeps', 101, true],
  ])('a takeover %s what the older one received, and waits for it', async (_, start, keepsPrefix) => {
    const active = new ActiveWrites();
    const write = active.enter('a', 'token', 100);
    const taking = active.takeOver('a', start);
    expect(reasonOf(write)).toMatchObject({ keepsPrefix, error: { code: 'taken_over' } });
    expect(await isDone(taking)).toBe(false);
    write.leave();
    await taking;
  });

  it('a takeover of bytes that are there, or of nothing, ends nobody', async () => {
    const active = new ActiveWrites();
    const write = active.enter('a', 'token', 100);
    await active.takeOver('a', 99);
    await active.takeOver('b', 100);
    expect(write.signal.aborted).toBe(false);
  });

  it('another process ends only the very write it has seen', () => {
    const active = new ActiveWrites();
    const write = active.enter('a', 'token', 100);
    active.letGo('a', 'older token', 100);
    active.letGo('a', 'token', 99);
    active.letGo('b', 'token', 100);
    expect(write.signal.aborted).toBe(false);
    active.letGo('a', 'token', 150);
    expect(reasonOf(write)).toMatchObject({ keepsPrefix: true });
  });

  it('knows the tokens this process uses, from before they are granted until they are given back', () => {
    const active = new ActiveWrites();
    active.hold('token');
    expect([active.holds('token'), active.holds('other')]).toEqual([true, false]);
    active.enter('a', 'token', 0).leave();
    expect(active.holds('token')).toBe(false);
    active.hold('refused');
    active.drop('refused');
    expect(active.holds('refused')).toBe(false);
  });

  it('drains: waits for those that finish in time, ends the others and keeps what they have', async () => {
    const active = new ActiveWrites();
    const [quick, slow] = [active.enter('a', '1', 0), active.enter('b', '2', 0)];
    const draining = active.drain(30);
    quick.leave();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(quick.signal.aborted).toBe(false);
    expect(reasonOf(slow)).toMatchObject({ keepsPrefix: true, error: { code: 'shutting_down' } });
    expect(await isDone(draining)).toBe(false);
    slow.leave();
    await draining;
    expect(reasonOf(active.enter('c', '3', 0))).toMatchObject({ error: { code: 'shutting_down' } });
  });

  it('drains at once when there is nothing', async () => {
    await new ActiveWrites().drain(60_000);
  });
});
