import { promisify } from 'node:util';
import { jest } from '@jest/globals';

const realSleep = promisify(setTimeout);

/** What the engine's short waits (for another process to let go of a lease) do in these tests: none takes real time. */
export const virtual = { sleep: (): Promise<unknown> => new Promise((resolve) => setImmediate(resolve)) };

/** Import this first, and everything that imports the engine dynamically behind it. */
jest.unstable_mockModule('node:timers/promises', () => ({
  setTimeout: (ms: number, value: unknown, options?: { signal?: AbortSignal }) =>
    options?.signal ? realSleep(ms, value, options) : virtual.sleep(),
}));
