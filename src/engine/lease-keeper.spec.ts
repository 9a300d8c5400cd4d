import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { keepLease } from './lease-keeper.js';

describe('keepLease', () => {
  const lease = { token: 't', holder: 'h', ttlMs: 30_000, takesOver: false };
  const extend = jest.fn<(id: string, given: object) => Promise<boolean>>();
  const onLost = jest.fn();
  let finish: (result: string) => void;
  const start = (firstInMs?: number) =>
    keepLease(
      { extend },
      { id: 'a', lease, onLost, firstInMs },
      () => new Promise<string>((resolve) => (finish = resolve)),
    );

  beforeEach(() => {
    jest.useFakeTimers();
    extend.mockReset().mockResolvedValue(true);
    onLost.mockReset();
  });
  afterEach(() => void jest.useRealTimers());

  it('extends three times per life, as long as the work runs', async () => {
    const work = start();
    await jest.advanceTimersByTimeAsync(60_000);
    expect(extend).toHaveBeenCalledTimes(6);
    expect(extend).toHaveBeenCalledWith('a', lease);
    finish('done');
    expect(await work).toBe('done');
    await jest.advanceTimersByTimeAsync(60_000);
    expect(extend).toHaveBeenCalledTimes(6);
    expect(onLost).not.toHaveBeenCalled();
  });

  it('extends one that has little time left soon, and soon again when that failed', async () => {
    extend.mockRejectedValueOnce(new Error('The database is away.'));
    const work = start(1_000);
    await jest.advanceTimersByTimeAsync(1_500);
    expect(extend).toHaveBeenCalledTimes(1);
    await jest.advanceTimersByTimeAsync(1_000);
    expect(extend).toHaveBeenCalledTimes(2);
    await jest.advanceTimersByTimeAsync(9_000);
    expect(extend).toHaveBeenCalledTimes(2);
    await jest.advanceTimersByTimeAsync(1_000);
    expect(extend).toHaveBeenCalledTimes(3);
    finish('done');
    expect(await work).toBe('done');
  });

  it('tells when somebody else has it', async () => {
    extend.mockResolvedValue(false);
    void start();
    await jest.advanceTimersByTimeAsync(10_000);
    expect(onLost).toHaveBeenCalled();
    finish('done');
  });

  it('a database that does not answer is not a loss', async () => {
    extend.mockRejectedValueOnce(new Error('away'));
    const work = start();
    await jest.advanceTimersByTimeAsync(20_000);
    expect(extend).toHaveBeenCalledTimes(2);
    expect(onLost).not.toHaveBeenCalled();
    finish('done');
    await work;
  });

  it('stops when the work fails, and fails with it', async () => {
    await expect(
      keepLease({ extend }, { id: 'a', lease, onLost }, () => Promise.reject(new Error('x'))),
    ).rejects.toThrow('x');
    await jest.advanceTimersByTimeAsync(60_000);
    expect(extend).not.toHaveBeenCalled();
  });
});
