import { getEventListeners } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { orAbort, sleep } from '../../src/client/sleep.js';

describe('Waiting', () => {
  it('leaves no listener behind', async () => {
    const { signal } = new AbortController();
    await sleep(1, signal);
    await orAbort(Promise.resolve(), signal);
    await expect(orAbort(Promise.reject(new Error('It broke.')), signal)).rejects.toThrow('It broke.');
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('ends with the reason when it is aborted, before or meanwhile', async () => {
    const controller = new AbortController();
    const waiting = sleep(60_000, controller.signal);
    controller.abort(new Error('Enough.'));
    await expect(waiting).rejects.toThrow('Enough.');
    await expect(sleep(60_000, controller.signal)).rejects.toThrow('Enough.');
  });
});
