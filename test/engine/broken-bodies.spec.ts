import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ADAPTERS, startTestApp, type TestApp } from '../support/test-app.js';
import {
  begin,
  call,
  complete,
  content,
  detail,
  md5,
  multipart,
  openForm,
  openPut,
  put,
  putForm,
  sleep,
  someBytes,
  until,
} from './support/client.js';
import { isLeased } from './support/rows.js';

const IDLE_MS = 400;

/** Bodies that do not come to their end. */
describe.each(ADAPTERS)('broken bodies on %s', (adapter) => {
  let app: TestApp;
  const first = someBytes(1000);
  const total = 101_000;
  const rest = someBytes(total - 1000);

  beforeAll(async () => {
    app = await startTestApp({ adapter, upload: { idleTimeout: IDLE_MS } });
  });
  afterAll(() => app.close());

  const whole = Buffer.concat([first, rest]);
  const settled = (path: string) => until(async () => !(await isLeased(app, path)));

  async function finishFrom(path: string, offset: number): Promise<void> {
    expect((await detail(app, path)).body.offset).toBe(offset);
    const head = await call(app, path, { method: 'HEAD' });
    expect(head.headers['upload-offset']).toBe(String(offset));
    expect((await put(app, whole.subarray(offset), { path, start: offset, total })).status).toBe(200);
    expect((await complete(app, path, whole)).status).toBe(200);
    expect((await content(app, path)).equals(whole)).toBe(true);
  }

  it.each(['fin', 'reset'] as const)(
    'a raw chunk cut by %s keeps what arrived, and the upload goes on from there',
    async (cut) => {
      const path = await begin(app, first, total);
      const chunk = openPut(app, rest.length, { path, start: 1000, total });
      await chunk.send(rest.subarray(0, 60_000));
      await until(() => isLeased(app, path));
      await sleep(50);
      chunk[cut]();
      await settled(path);
      await finishFrom(path, 61_000);
    },
  );

  it('a raw chunk that falls silent ends after the idle timeout, and keeps what arrived', async () => {
    const path = await begin(app, first, total);
    const chunk = openPut(app, rest.length, { path, start: 1000, total });
    await chunk.send(rest.subarray(0, 60_000));
    const answer = await chunk.answer;
    expect([answer.status, answer.body.code]).toEqual([408, 'idle_timeout']);
    await finishFrom(path, 61_000);
  });

  it('a slow raw chunk that keeps moving is not idle', async () => {
    const path = await begin(app, first, total);
    const slow = openPut(app, rest.length, { path, start: 1000, total });
    for (let at = 0; at < 6; at++) {
      await slow.send(rest.subarray(at, at + 1));
      await sleep(IDLE_MS / 4);
    }
    await slow.send(rest.subarray(6));
    slow.end();
    expect((await slow.answer).status).toBe(200);
  });

  it.each(['fin', 'reset'] as const)(
    'a raw chunk cut by %s before its first byte changes nothing',
    async (cut) => {
      const path = await begin(app, first, total);
      const chunk = openPut(app, rest.length, { path, start: 1000, total });
      await chunk.send(Buffer.alloc(0));
      await sleep(30);
      chunk[cut]();
      await settled(path);
      await finishFrom(path, 1000);
    },
  );

  it('a raw chunk in HTTP chunks that breaks off keeps what arrived', async () => {
    const path = await begin(app, first, total);
    const headers = { 'transfer-encoding': 'chunked', 'content-length': '' };
    const chunk = openPut(app, rest.length, { path, start: 1000, total, headers });
    await chunk.send(rest.subarray(0, 60_000));
    await until(() => isLeased(app, path));
    await sleep(50);
    chunk.reset();
    await settled(path);
    await finishFrom(path, 61_000);
  });

  it('a raw chunk that ends properly, but short, is refused whole', async () => {
    const path = await begin(app, first, total);
    const headers = { 'transfer-encoding': 'chunked', 'content-length': '' };
    const chunk = openPut(app, rest.length, { path, start: 1000, total, headers });
    await chunk.send(rest.subarray(0, 60_000));
    chunk.end();
    expect((await chunk.answer).body.code).toBe('length_mismatch');
    await finishFrom(path, 1000);
  });

  it('a raw chunk with a byte too many is refused whole', async () => {
    const path = await begin(app, first, total);
    const headers = { 'transfer-encoding': 'chunked', 'content-length': '' };
    const chunk = openPut(app, rest.length - 1, { path, start: 1000, total, headers });
    await chunk.send(rest);
    chunk.end();
    expect((await chunk.answer).body.code).toBe('length_mismatch');
    await finishFrom(path, 1000);
  });

  it.each([
    ['in its bytes', (form: Buffer) => form.subarray(0, 60_000)],
    ['behind its bytes', (form: Buffer) => form.subarray(0, form.length - 25)],
    ['in its last boundary', (form: Buffer) => form.subarray(0, form.length - 3)],
    ['behind its last boundary', (form: Buffer) => form.subarray(0, form.length - 2)],
  ])('a multipart chunk cut %s keeps nothing', async (_, cut) => {
    const path = await begin(app, first, total);
    const { head, tail } = multipart();
    const form = openForm(app, rest.length, { path, start: 1000, total });
    await form.send(cut(Buffer.concat([head, rest, tail])));
    await until(() => isLeased(app, path));
    await sleep(50);
    form.reset();
    await settled(path);
    await finishFrom(path, 1000);
  });

  it('a multipart chunk that falls silent in its bytes is ended, and keeps nothing', async () => {
    const path = await begin(app, first, total);
    const form = openForm(app, rest.length, { path, start: 1000, total });
    await form.send(Buffer.concat([multipart().head, rest.subarray(0, 60_000)]));
    expect((await form.answer).status).toBe(408);
    await finishFrom(path, 1000);
  });

  it('a creation that breaks off leaves neither row nor file', async () => {
    const { head } = multipart();
    const before = { rows: (await app.rows()).length, files: await app.files() };
    const bodies = [
      openPut(app, 100_000, { total: 200_000 }),
      openPut(app, 100_000, { total: 200_000 }),
      openForm(app, 100_000, { total: 200_000 }),
      openForm(app, 100_000, { total: 200_000 }),
    ];
    for (const [index, body] of bodies.entries()) {
      await body.send(index < 2 ? rest.subarray(0, 50_000) : Buffer.concat([head, rest.subarray(0, 50_000)]));
    }
    await until(async () => (await app.rows()).length === before.rows + 4);
    bodies[0]?.fin();
    bodies[2]?.reset();
    await until(async () => (await app.rows()).length <= before.rows + 2);
    // The other two fall silent.
    expect((await bodies[1]?.answer)?.status).toBe(408);
    expect((await bodies[3]?.answer)?.status).toBe(408);
    expect(await app.rows()).toHaveLength(before.rows);
    expect(await app.files()).toEqual(before.files);
  });

  it('a creation that is refused leaves neither row nor file', async () => {
    const before = { rows: (await app.rows()).length, files: await app.files() };
    const bytes = someBytes(50_000);
    const wrong = { md5: '0'.repeat(32) };
    const headers = { 'content-type': 'application/octet-stream' };
    const oneShot = (query: string) =>
      call(app, `/upload?${query}`, { method: 'POST', body: bytes, headers });
    expect((await oneShot(`md5=${wrong.md5}`)).body.code).toBe('checksum_mismatch');
    expect((await oneShot('')).body.code).toBe('checksum_missing');
    expect((await oneShot(`md5=${md5(bytes)}&owner_type=nothing&owner_id=1`)).body.code).toBe(
      'owner_not_allowed',
    );
    expect((await put(app, bytes, { start: 10, total: 60_000 })).body.code).toBe('offset_mismatch');
    expect((await putForm(app, bytes, { start: 10, total: 60_000 })).body.code).toBe('offset_mismatch');
    expect(await app.rows()).toHaveLength(before.rows);
    expect(await app.files()).toEqual(before.files);
    expect((await oneShot(`md5=${md5(bytes)}`)).status).toBe(200);
  });
});
