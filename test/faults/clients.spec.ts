import { createConnection } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { contentOf, seedOfRun } from '../support/random.js';
import {
  begin,
  chunkHeaders,
  complete,
  content,
  detail,
  multipart,
  openForm,
  openPut,
  put,
  putForm,
  sleep,
  until,
} from '../engine/support/client.js';
import { ADAPTERS } from '../support/test-app.js';
import type { ReferenceServer } from './support/reference-server.js';
import { ReferenceSite } from './support/reference-site.js';
import { code, within } from './support/steady-client.js';

const SEED = seedOfRun();
const IDLE_TIMEOUT_MS = 3_000;
/** What the server has at the break: the first chunk, and this much of the second. */
const FIRST = 1_000;
const ARRIVED = 50_000;
const TOTAL = 100_000;
/** Time for sent bytes to be read: a reset throws away what nobody has read yet. */
const READ_MS = 250;

const bodies = { raw: openPut, form: openForm };
const breaks = {
  'ends its side (FIN) in the middle': { how: 'fin', code: null },
  'resets the connection (RST)': { how: 'reset', code: null },
  'falls silent': { how: 'silence', code: '408 idle_timeout' },
} as const;

describe.each(ADAPTERS)('a client that breaks off, on the reference server on %s', (adapter) => {
  const whole = contentOf(SEED, TOTAL);
  let site: ReferenceSite;
  let server: ReferenceServer;

  beforeAll(async () => {
    site = await ReferenceSite.open();
    server = await site.start({
      CHUNKED_UPLOAD_ADAPTER: adapter,
      CHUNKED_UPLOAD_IDLE_TIMEOUT: String(IDLE_TIMEOUT_MS),
    });
  }, 60_000);
  afterAll(() => site?.close());

  /** The next chunk starts where the server says, is taken at once, and the file is whole. */
  async function expectGoesOn(path: string, send: typeof put): Promise<void> {
    const offset = Number((await detail(server, path)).body.offset);
    const answer = send(server, whole.subarray(offset), { path, start: offset, total: TOTAL });
    expect(code(await within(2_000, answer))).toBe('200 uploading');
    expect(code(await complete(server, path, whole))).toBe('200 complete');
    expect((await content(server, path)).equals(whole)).toBe(true);
  }

  /** The chunk is under way, and what was sent of it has most likely been read. */
  async function arrived(path: string): Promise<void> {
    await until(async () => (await site.row(path))?.lease_token != null);
    await sleep(READ_MS);
  }

  const settled = (path: string, least: number, most = least) =>
    until(async () => {
      const { offset, lease_token } = (await site.row(path)) ?? { offset: -1, lease_token: null };
      return offset >= least && offset <= most && lease_token === null;
    }, IDLE_TIMEOUT_MS + 3_000);

  describe.each(Object.keys(bodies) as (keyof typeof bodies)[])('%s', (kind) => {
    const kept = kind === 'raw' ? FIRST + ARRIVED : FIRST;
    const send = kind === 'raw' ? put : putForm;

    it.each(Object.entries(breaks))('%s', async (_, { how, code: expected }) => {
      const path = await begin(server, whole.subarray(0, FIRST), TOTAL);
      const chunk = bodies[kind](server, TOTAL - FIRST, { path, start: FIRST, total: TOTAL });
      if (kind === 'form') await chunk.send(multipart().head);
      await chunk.send(whole.subarray(FIRST, FIRST + ARRIVED));
      await arrived(path);
      if (how !== 'silence') chunk[how]();
      // On a busy machine not all of it had been read before the reset.
      await settled(path, how === 'reset' ? FIRST : kept, kept);
      if (expected) expect(code(await within(2_000, chunk.answer))).toBe(expected);
      await expectGoesOn(path, send);
    });

    it('closes the connection', async () => {
      const path = await begin(server, whole.subarray(0, FIRST), TOTAL);
      const socket = createConnection(Number(new URL(server.origin).port), '127.0.0.1');
      const { head, tail } = multipart();
      const isForm = kind === 'form';
      const length = TOTAL - FIRST + (isForm ? head.length + tail.length : 0);
      const headers = {
        host: 'any',
        ...chunkHeaders(FIRST, TOTAL - FIRST, TOTAL),
        'content-length': length,
        ...(isForm && { 'content-type': 'multipart/form-data; boundary=the-boundary' }),
      };
      const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
      socket.write(`PUT ${path} HTTP/1.1\r\n${lines.join('')}\r\n`);
      if (isForm) socket.write(head);
      socket.write(whole.subarray(FIRST, FIRST + ARRIVED));
      await arrived(path);
      socket.destroy();
      await settled(path, kept);
      await expectGoesOn(path, send);
    });

    it('sends on before the broken one was noticed: the newer request wins', async () => {
      const path = await begin(server, whole.subarray(0, FIRST), TOTAL);
      const stale = bodies[kind](server, TOTAL - FIRST, { path, start: FIRST, total: TOTAL });
      if (kind === 'form') await stale.send(multipart().head);
      await stale.send(whole.subarray(FIRST, FIRST + ARRIVED));
      await expectGoesOn(path, send);
      stale.reset();
    });

    it.each(['fin', 'reset'] as const)('while it creates (%s): nothing is left', async (how) => {
      const before = (await site.rows()).length;
      const created = bodies[kind](server, TOTAL);
      if (kind === 'form') await created.send(multipart().head);
      await created.send(whole.subarray(0, ARRIVED));
      await until(async () => (await site.rows()).length === before + 1);
      created[how]();
      await until(async () => (await site.rows()).length === before);
    });
  });

  /** Sends one byte per second, six of them: the last one long after the idle timeout, were it not for the others. */
  async function dribble(kind: keyof typeof bodies): Promise<void> {
    const all = whole.subarray(0, FIRST + 6);
    const path = await begin(server, all.subarray(0, FIRST), all.length);
    const chunk = bodies[kind](server, 6, { path, start: FIRST, total: all.length });
    const { head, tail } = multipart();
    if (kind === 'form') await chunk.send(head);
    for (const byte of all.subarray(FIRST)) {
      await chunk.send(Buffer.from([byte]));
      await sleep(1_000);
    }
    if (kind === 'form') await chunk.send(tail);
    chunk.end();
    expect(code(await within(2_000, chunk.answer))).toBe('200 uploading');
    expect(code(await complete(server, path, all))).toBe('200 complete');
  }

  it('is none when it sends a byte per second: it is not cut off', async () => {
    await Promise.all([dribble('raw'), dribble('form')]);
  });
});
