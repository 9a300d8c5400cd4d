import { describe, expect, it } from '@jest/globals';
import { PassThrough, Readable } from 'node:stream';
import { ChunkReceiver, type ReceiveOptions } from './chunk-receiver.js';

const MEBIBYTE = 1024 * 1024;
const tick = (ms = 5) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** A receiver whose batches are collected, or held back until `release` is called. */
function receiving(
  source: Readable,
  {
    idleTimeoutMs = 1000,
    isDisposable = false,
    ...options
  }: Partial<ReceiveOptions> & { idleTimeoutMs?: number; isDisposable?: boolean } = {},
) {
  const batches: Buffer[][] = [];
  const written: Buffer[] = [];
  const waiting: (() => void)[] = [];
  const state = { isHeld: false, running: 0, most: 0 };
  const given: ReceiveOptions = {
    limitBytes: Number.MAX_SAFE_INTEGER,
    signal: new AbortController().signal,
    write: async (batch) => {
      state.most = Math.max(state.most, ++state.running);
      batches.push(batch);
      if (state.isHeld) await new Promise<void>((resolve) => waiting.push(resolve));
      written.push(Buffer.concat(batch));
      state.running--;
    },
    ...options,
  };
  class Receiver extends ChunkReceiver {
    override run(): ReturnType<ChunkReceiver['run']> {
      return super.run(given);
    }
  }
  const receiver = new Receiver(source, idleTimeoutMs, isDisposable);
  const release = () => {
    state.isHeld = false;
    waiting.splice(0).forEach((resolve) => resolve());
  };
  return { receiver, batches, state, release, bytes: () => Buffer.concat(written) };
}

const pieces = (count: number, size: number) =>
  Array.from({ length: count }, (_, at) => Buffer.alloc(size, at % 251));

describe('ChunkReceiver', () => {
  it('hands every byte on, in order, one batch at a time', async () => {
    const sent = pieces(100, 65_536);
    const { receiver, batches, state, bytes } = receiving(Readable.from(sent));
    expect(await receiver.run()).toEqual({ kind: 'ended' });
    expect(bytes().equals(Buffer.concat(sent))).toBe(true);
    expect([receiver.received, receiver.written]).toEqual([6_553_600, 6_553_600]);
    expect(state.most).toBe(1);
    expect(batches.length).toBeLessThan(10);
  });

  it.each([true, false])('frees what is written, if nobody else keeps it: %s', async (isDisposable) => {
    const sent = pieces(20, 65_536);
    const whole = Buffer.concat(sent);
    const [part] = pieces(1, 100_000);
    const source = Readable.from([...sent, part?.subarray(50_000)]);
    const { receiver, batches, bytes } = receiving(source, { isDisposable });
    expect(await receiver.run()).toEqual({ kind: 'ended' });
    expect(bytes().subarray(0, whole.length).equals(whole)).toBe(true);
    expect(sent.map(({ length }) => length)).toEqual(Array(20).fill(isDisposable ? 0 : 65_536));
    expect(batches.flat().at(-1)).toHaveLength(50_000);
    expect(part).toHaveLength(100_000);
  });

  it('goes on where buffers cannot be freed', async () => {
    const memory = new ArrayBuffer(65_536);
    const sent = [Buffer.from(memory), Buffer.from(memory)];
    const { receiver, bytes } = receiving(Readable.from(sent), { isDisposable: true });
    expect(await receiver.run()).toEqual({ kind: 'ended' });
    expect(bytes()).toHaveLength(131_072);
  });

  it('an empty body ends without a batch', async () => {
    const { receiver, batches } = receiving(Readable.from([]));
    expect(await receiver.run()).toEqual({ kind: 'ended' });
    expect(batches).toEqual([]);
  });

  it('holds at most one batch while another is being written, however fast the source', async () => {
    let pulled = 0;
    const source = new Readable({
      highWaterMark: 65_536,
      read() {
        pulled += 65_536;
        this.push(pulled > 64 * MEBIBYTE ? null : Buffer.alloc(65_536));
      },
    });
    const { receiver, state, release } = receiving(source);
    state.isHeld = true;
    const done = receiver.run();
    await tick(30);
    expect(pulled).toBeLessThan(3 * MEBIBYTE);
    release();
    expect((await done).kind).toBe('ended');
    expect(receiver.written).toBe(64 * MEBIBYTE);
  });

  it('copies small pieces, which would keep the large buffer they were received into', async () => {
    const large = Buffer.alloc(65_536);
    const source = Readable.from([large.subarray(0, 10), large.subarray(10, 60_000)]);
    const { receiver, batches } = receiving(source);
    await receiver.run();
    const [small, big] = batches.flat();
    expect(small?.buffer).not.toBe(large.buffer);
    expect(big?.buffer).toBe(large.buffer);
  });

  it('writes after a thousand pieces, however small', async () => {
    const { receiver, batches } = receiving(Readable.from(pieces(5000, 1)));
    await receiver.run();
    expect(receiver.written).toBe(5000);
    expect(Math.max(...batches.map((batch) => batch.length))).toBeLessThanOrEqual(1024);
  });

  it('stops at the first byte too many, and takes exactly as many as allowed', async () => {
    const exact = receiving(Readable.from(pieces(3, 10)), { limitBytes: 30 });
    expect((await exact.receiver.run()).kind).toBe('ended');
    const source = Readable.from([...pieces(3, 10), Buffer.from('x'), ...pieces(100, 10)]);
    const excess = receiving(source, { limitBytes: 30 });
    expect((await excess.receiver.run()).kind).toBe('excess');
    expect(excess.receiver.received).toBe(31);
    expect(excess.receiver.written).toBe(30);
    expect(source.isPaused()).toBe(true);
  });

  it.each<[string, (source: PassThrough) => unknown]>([
    ['an error', (source) => source.destroy(new Error('reset'))],
    ['a connection that just closes', (source) => source.destroy()],
  ])('%s is a break; what arrived before is written', async (_, cut) => {
    const source = new PassThrough();
    const { receiver, bytes } = receiving(source);
    const done = receiver.run();
    source.write('abc');
    await tick();
    cut(source);
    expect((await done).kind).toBe('broken');
    expect(bytes().toString()).toBe('abc');
    expect(receiver.written).toBe(3);
  });

  it('a source that was gone before is a break', async () => {
    const source = new PassThrough();
    source.destroy();
    await tick();
    expect((await receiving(source).receiver.run()).kind).toBe('broken');
  });

  it('many at once gather no more than some of them would', async () => {
    const all = Array.from({ length: 64 }, () => receiving(Readable.from(pieces(64, 65_536))));
    for (const { state } of all) state.isHeld = true;
    const done = all.map(({ receiver }) => receiver.run());
    await tick(50);
    const held = all.reduce((sum, { receiver }) => sum + receiver.received, 0);
    // One batch being written and one gathered of each, and the piece that filled it.
    expect(held).toBeLessThanOrEqual(2 * 8 * MEBIBYTE + 64 * 2 * 65_536);
    for (const { release } of all) release();
    await Promise.all(done);
    for (const { receiver } of all) expect(receiver.written).toBe(64 * 65_536);
  });

  it('ends a source that falls silent, but not one that waits for the disk', async () => {
    const silent = new PassThrough();
    const { receiver, bytes } = receiving(silent, { idleTimeoutMs: 30 });
    silent.write('abc');
    expect((await receiver.run()).kind).toBe('idle');
    expect(bytes().toString()).toBe('abc');

    const slowDisk = receiving(Readable.from(pieces(40, 65_536)), { idleTimeoutMs: 30 });
    slowDisk.state.isHeld = true;
    const done = slowDisk.receiver.run();
    await tick(120);
    slowDisk.release();
    expect((await done).kind).toBe('ended');
  });

  it('a source that sends now and then is not idle', async () => {
    const source = new PassThrough();
    const { receiver } = receiving(source, { idleTimeoutMs: 300 });
    const done = receiver.run();
    for (let count = 0; count < 6; count++) {
      await tick(75);
      source.write('x');
    }
    source.end();
    expect((await done).kind).toBe('ended');
    expect(receiver.written).toBe(6);
  });

  it('ends with the signal’s reason, having written what arrived; at once when it was aborted before', async () => {
    const controller = new AbortController();
    const source = new PassThrough();
    const { receiver, bytes } = receiving(source, { signal: controller.signal });
    const done = receiver.run();
    source.write('abc');
    await tick();
    controller.abort('newer');
    expect(await done).toEqual({ kind: 'aborted', reason: 'newer' });
    expect(bytes().toString()).toBe('abc');
    const late = receiving(new PassThrough(), { signal: AbortSignal.abort('before') });
    expect(await late.receiver.run()).toEqual({ kind: 'aborted', reason: 'before' });
  });

  it('rejects with the error of a write, and what the source does then ends no process', async () => {
    const source = new PassThrough();
    const { receiver } = receiving(source, { write: () => Promise.reject(new Error('full')) });
    const done = receiver.run();
    source.end('abc');
    await expect(done).rejects.toThrow('full');
    source.destroy(new Error('later'));
    await tick();
  });

  it('waits for the write that runs before it says how the body ended', async () => {
    const source = new PassThrough();
    const { receiver, state, release } = receiving(source);
    state.isHeld = true;
    const done = receiver.run();
    source.write(Buffer.alloc(MEBIBYTE));
    await tick();
    source.write('tail');
    await tick();
    source.destroy();
    await tick();
    expect(receiver.written).toBe(0);
    release();
    expect((await done).kind).toBe('broken');
    expect(receiver.written).toBe(MEBIBYTE + 4);
  });

  describe('before it may write', () => {
    it('gathers one batch and no more, and goes on from there', async () => {
      const source = Readable.from(pieces(64, 65_536));
      const { receiver, bytes } = receiving(source);
      await tick(30);
      expect(receiver.received).toBe(MEBIBYTE);
      expect(source.isPaused()).toBe(true);
      expect((await receiver.run()).kind).toBe('ended');
      expect(bytes().equals(Buffer.concat(pieces(64, 65_536)))).toBe(true);
    });

    it.each<[string, (source: PassThrough) => unknown]>([
      ['ended', (source) => source.end()],
      ['broken', (source) => source.destroy(new Error('reset'))],
    ])('a body may be over: %s', async (kind, over) => {
      const source = new PassThrough();
      const { receiver, bytes } = receiving(source);
      source.write('abc');
      await tick();
      over(source);
      await tick();
      expect((await receiver.run()).kind).toBe(kind);
      expect(bytes().toString()).toBe('abc');
    });

    it('a body may be too long: nothing of it is written', async () => {
      const { receiver } = receiving(Readable.from(pieces(4, 10)), { limitBytes: 30 });
      await tick();
      expect((await receiver.run()).kind).toBe('excess');
      expect(receiver.written).toBe(0);
    });

    it('silence is not the client’s', async () => {
      const source = new PassThrough();
      const { receiver } = receiving(source, { idleTimeoutMs: 30 });
      await tick(100);
      const done = receiver.run();
      source.end('abc');
      expect((await done).kind).toBe('ended');
    });

    it('it can be given up: the rest is left to whoever reads on, and what fails ends no process', async () => {
      const source = new PassThrough();
      const { receiver } = receiving(source);
      source.write('abc');
      await tick();
      receiver.drop();
      source.write('def');
      await tick();
      expect(receiver.received).toBe(3);
      expect(String(source.read())).toBe('def');
      source.destroy(new Error('later'));
      await tick();
    });
  });
});
