import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect } from '@jest/globals';
import { contentOf, seedOfRun } from '../support/random.js';
import {
  type Answer,
  begin,
  call,
  cancel,
  complete,
  content,
  detail,
  put,
} from '../engine/support/client.js';
import type { ReferenceServer } from './support/reference-server.js';
import { ReferenceSite } from './support/reference-site.js';
import { itUnless } from './support/root-only.js';
import { code, within } from './support/steady-client.js';
import { Strace, type SystemCall, whyNoStrace } from './support/strace.js';

const SEED = seedOfRun();
const ANSWER_LIMIT_MS = 5_000;
const FIRST = 1_000;
const TOTAL = 300_000;
const WRITES = 'pwrite64,pwritev,pwritev2';

const notHere = await whyNoStrace();
const itTraced = itUnless(notHere);

describe('system calls of the reference server', () => {
  const whole = contentOf(SEED, TOTAL);
  let site: ReferenceSite;
  let server: ReferenceServer;
  let strace: Strace | null = null;

  beforeAll(async () => {
    if (notHere !== null) return;
    site = await ReferenceSite.open();
    server = await site.start();
  }, 60_000);
  afterEach(async () => void (await detach()));
  afterAll(() => site?.close());

  const attach = async (...filters: string[]) => void (strace = await Strace.attach(server.pid, filters));
  const detach = async (): Promise<SystemCall[]> => {
    const calls = (await strace?.detach()) ?? [];
    strace = null;
    return calls;
  };
  /** Makes every one of these calls fail. */
  const fail = (calls: string, error: string) =>
    attach('-e', `trace=${calls}`, '-e', `inject=${calls}:error=${error}`);

  const beginTwo = () => begin(server, whole.subarray(0, FIRST), TOTAL);
  const sendRest = (path: string): Promise<Answer> =>
    within(ANSWER_LIMIT_MS, put(server, whole.subarray(FIRST), { path, start: FIRST, total: TOTAL }));

  async function expectFinished(path: string): Promise<void> {
    expect(code(await complete(server, path, whole))).toBe('200 complete');
    expect((await content(server, path)).equals(whole)).toBe(true);
    expect((await call(server, '/health')).status).toBe(200);
  }

  describe('that fail', () => {
    for (const [calls, error, expected] of [
      ['fdatasync', 'EIO', '503 storage_unavailable'],
      ['fdatasync', 'ENOSPC', '507 no_space'],
      ['fdatasync', 'EDQUOT', '507 no_space'],
      [WRITES, 'EIO', '503 storage_unavailable'],
      [WRITES, 'ENOSPC', '507 no_space'],
      // What was written behind the offset stays there: the next chunk has to cut it off first.
      ['fdatasync,ftruncate', 'EIO', '503 storage_unavailable'],
    ] as const)
      itTraced(
        `${calls}: ${error} is ${expected}, the chunk does not count and can be sent again`,
        async () => {
          const path = await beginTwo();
          await fail(calls, error);
          expect(code(await sendRest(path))).toBe(expected);
          expect((await detail(server, path)).body.offset).toBe(FIRST);
          const seen = await detach();
          // The kernel forgets a failure once it was reported: a second sync would succeed, without the bytes.
          if (calls.startsWith('fdatasync'))
            expect(seen.filter(({ name }) => name === 'fdatasync')).toHaveLength(1);
          expect(await site.row(path)).toMatchObject({
            status: 'uploading',
            generation: 0,
            lease_token: null,
          });
          expect(code(await sendRest(path))).toBe('200 uploading');
          await expectFinished(path);
        },
      );

    itTraced('fdatasync in the middle of a large chunk: 503, and no later sync makes up for it', async () => {
      const large = contentOf(SEED + 1, 6 * 1024 * 1024);
      const path = await begin(server, large.subarray(0, FIRST), large.length);
      const sendLarge = () => put(server, large.subarray(FIRST), { path, start: FIRST, total: large.length });
      await attach('-e', 'trace=fdatasync', '-e', 'inject=fdatasync:error=EIO:when=1');
      expect(code(await sendLarge())).toBe('503 storage_unavailable');
      expect((await detail(server, path)).body.offset).toBe(FIRST);
      expect((await detach()).filter(({ name }) => name === 'fdatasync')).toHaveLength(1);
      expect(code(await sendLarge())).toBe('200 uploading');
      expect(code(await complete(server, path, large))).toBe('200 complete');
      expect((await content(server, path)).equals(large)).toBe(true);
    });

    itTraced('openat of the file: 503, and the chunk can be sent again', async () => {
      const path = await beginTwo();
      const id = path.split('/').at(-1) ?? '';
      const files = await readdir(join(site.folder, 'uploads'), { recursive: true });
      const file = files.find((name) => name.includes(id)) ?? '';
      await attach('-P', join(site.folder, 'uploads', file), '-e', 'inject=openat:error=EIO');
      expect(code(await sendRest(path))).toBe('503 storage_unavailable');
      await detach();
      expect((await detail(server, path)).body.offset).toBe(FIRST);
      expect(code(await sendRest(path))).toBe('200 uploading');
      await expectFinished(path);
    });

    for (const calls of ['fdatasync', 'fsync', WRITES])
      itTraced(`${calls} of a creation: 503, and neither row nor file is left`, async () => {
        const ids = (await site.rows()).map(({ id }) => id);
        await fail(calls, 'EIO');
        expect(code(await within(ANSWER_LIMIT_MS, put(server, whole)))).toBe('503 storage_unavailable');
        await detach();
        expect((await site.rows()).map(({ id }) => id)).toEqual(ids);
        const files = await readdir(join(site.folder, 'uploads'), { recursive: true });
        expect(
          files.filter((name) => name.endsWith('.part') && !ids.some((id) => name.includes(id))),
        ).toEqual([]);
      });

    for (const calls of ['fdatasync', 'rename,renameat,renameat2', 'fsync'])
      itTraced(`${calls} of a completion: 503, it is not complete, and can be completed again`, async () => {
        const path = await begin(server, whole, TOTAL);
        await fail(calls, 'EIO');
        const answer = await within(ANSWER_LIMIT_MS, complete(server, path, whole));
        expect(code(answer)).toBe('503 storage_unavailable');
        expect((await detail(server, path)).body).toMatchObject({ status: 'uploading', offset: TOTAL });
        await detach();
        await expectFinished(path);
      });

    itTraced('unlink of a cancellation: 503, and it can be cancelled again', async () => {
      const path = await beginTwo();
      await fail('unlink,unlinkat', 'EIO');
      expect(code(await within(ANSWER_LIMIT_MS, cancel(server, path)))).toBe('503 storage_unavailable');
      await detach();
      expect((await cancel(server, path)).status).toBe(204);
      expect(await site.row(path)).toBeUndefined();
    });
  });

  describe('come in the order that a power cut asks for', () => {
    const sends = 'write,writev,sendto,sendmsg';
    const watch = () => attach('-e', `trace=${WRITES},fdatasync,fsync,rename,renameat,renameat2,${sends}`);
    const postgresPort = () => new URL(site.databaseUrl).port || '5432';

    const isOnPart = ({ text }: SystemCall) => /<[^>]*\.(part|done)>/.test(text);
    const isSend = ({ name }: SystemCall) => sends.split(',').includes(name);
    const kinds: Record<string, (one: SystemCall) => boolean> = {
      write: (one) => WRITES.split(',').includes(one.name) && isOnPart(one),
      datasync: (one) => one.name === 'fdatasync' && isOnPart(one),
      'folder sync': ({ name }) => name === 'fsync',
      rename: ({ name }) => name.startsWith('rename'),
      // Both by what they bind, since the statement itself is sent once a connection: by the storage's last word, and by
      // the digest that only a commit has beside.
      'completion sent': (one) =>
        isSend(one) && isTo(one, postgresPort()) && one.text.includes('\\"finished\\":true'),
      'offset sent': (one) => isSend(one) && isTo(one, postgresPort()) && one.text.includes('{\\"md5\\":'),
      answer: (one) => isSend(one) && one.text.includes('HTTP/1.1 200'),
    };

    /** The kinds of calls in the order in which they began; each has to have ended before the next kind begins. */
    function orderOf(calls: readonly SystemCall[]): string[] {
      const order: string[] = [];
      let lastEnd = -1;
      for (const one of calls) {
        const kind = Object.keys(kinds).find((name) => kinds[name]?.(one));
        if (kind === undefined) continue;
        if (kind !== order.at(-1)) {
          expect({ kind, isAfterThePrevious: one.startedAt > lastEnd }).toMatchObject({
            isAfterThePrevious: true,
          });
          order.push(kind);
        }
        lastEnd = Math.max(lastEnd, one.endedAt);
      }
      return order;
    }

    itTraced('a first chunk: bytes, sync, folder sync, row, answer', async () => {
      await watch();
      const path = await begin(server, whole.subarray(0, FIRST), TOTAL);
      const order = orderOf(await detach());
      // Folders of a new day, which are synced as they are made, come first.
      expect(order.slice(order.indexOf('write'))).toEqual([
        'write',
        'datasync',
        'folder sync',
        'offset sent',
        'answer',
      ]);
      expect((await cancel(server, path)).status).toBe(204);
    });

    itTraced('a later chunk: bytes, sync, row, answer', async () => {
      const path = await beginTwo();
      await watch();
      expect(code(await sendRest(path))).toBe('200 uploading');
      expect(orderOf(await detach())).toEqual(['write', 'datasync', 'offset sent', 'answer']);
    });

    itTraced('a completion: sync, rename, folder sync, row, answer', async () => {
      const path = await begin(server, whole, TOTAL);
      await watch();
      expect(code(await complete(server, path, whole))).toBe('200 complete');
      const order = ['datasync', 'rename', 'folder sync', 'completion sent', 'answer'];
      expect(orderOf(await detach())).toEqual(order);
    });
  });
});

function isTo({ text }: SystemCall, port: string): boolean {
  return new RegExp(`^\\w+\\(\\d+<TCP[^>]*->[^>]*:${port}\\]>`).test(text);
}
