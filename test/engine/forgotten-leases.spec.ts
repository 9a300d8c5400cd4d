import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { UploadError } from '../../src/index.js';
import { startTestApp, type TestApp } from '../support/test-app.js';
import {
  type Answer,
  begin,
  complete,
  content,
  openPut,
  put,
  sleep,
  someBytes,
  until,
} from './support/client.js';
import { isLeased, rowOf, setRow } from './support/rows.js';

/** Longer than a holder is asked for. */
const STILL_THERE = `lease_expires_at = now() + interval '1 minute'`;

/** Two apps on one database and one folder; the database is away from one of them for a moment. */
describe('leases that their process has forgotten, in the eyes of another one', () => {
  let app: TestApp;
  let other: TestApp;
  const first = someBytes(1000);
  const rest = someBytes(10_000);
  const total = 11_000;
  const whole = Buffer.concat([first, rest]);

  beforeAll(async () => {
    app = await startTestApp();
    other = await startTestApp({ database: app.database, root: app.root });
  });
  afterEach(() => void jest.restoreAllMocks());
  afterAll(async () => {
    await other.close();
    await app.close();
  });

  const code = ({ status, body }: Answer) => `${status} ${String(body.code ?? body.status)}`;
  const putRest = (target: TestApp, path: string) => put(target, rest, { path, start: 1000, total });
  const gone = () => Promise.reject(new UploadError('database_unavailable', 'It restarts.'));

  /** To the end, in the file in which it began. */
  async function finish(target: TestApp, path: string, bytes: Buffer = whole): Promise<void> {
    expect(code(await complete(target, path, bytes))).toBe('200 complete');
    expect((await content(target, path)).equals(bytes)).toBe(true);
    expect((await rowOf(app, path))?.generation).toBe(0);
  }

  /** A chunk in `app` of which neither the commit nor the release gets through. */
  async function leftOver(size: number | '*'): Promise<string> {
    const path = await begin(app, first, size);
    const { leases } = app.type.engine.context.repositories;
    for (const fault of [jest.spyOn(leases, 'commit'), jest.spyOn(leases, 'release')])
      fault.mockImplementationOnce(gone);
    const answer = await put(app, rest, { path, start: 1000, total: size });
    expect(code(answer)).toBe('503 database_unavailable');
    await setRow(app, path, STILL_THERE);
    expect(await isLeased(app, path)).toBe(true);
    return path;
  }

  it('are given back when it is asked, at once, and nothing is copied', async () => {
    const path = await leftOver(total);
    const asked = Date.now();
    expect(code(await putRest(other, path))).toBe('200 uploading');
    expect(Date.now() - asked).toBeLessThan(1000);
    await finish(other, path);
  });

  it('are given back for a completion, too', async () => {
    const path = await leftOver('*');
    await finish(other, path, first);
  });

  it('are given back when a completion left them', async () => {
    const path = await begin(app, whole, total);
    const { completions } = app.type.engine.context.repositories;
    jest.spyOn(completions, 'complete').mockImplementationOnce(gone);
    jest.spyOn(completions, 'revert').mockImplementationOnce(gone);
    expect(code(await complete(app, path, whole))).toBe('503 database_unavailable');
    await setRow(app, path, STILL_THERE);
    await finish(other, path);
  });

  it('are given back when their claim was let through after all', async () => {
    const path = await begin(app, first, total);
    const { leases } = app.type.engine.context.repositories;
    const claim = leases.claim.bind(leases);
    jest.spyOn(leases, 'claim').mockImplementationOnce((...given) => claim(...given).then(gone));
    expect(code(await putRest(app, path))).toBe('503 database_unavailable');
    await setRow(app, path, STILL_THERE);
    expect(code(await putRest(other, path))).toBe('200 uploading');
    await finish(other, path);
  });

  it('are kept while it has not heard that they were granted: it is about to write', async () => {
    const path = await begin(app, first, total);
    const { leases } = app.type.engine.context.repositories;
    const claim = leases.claim.bind(leases);
    jest.spyOn(leases, 'claim').mockImplementationOnce(async (...given) => {
      const claimed = await claim(...given);
      await sleep(300);
      return claimed;
    });
    const release = jest.spyOn(leases, 'release');
    const writing = putRest(app, path);
    await until(() => isLeased(app, path));
    expect(code(await put(other, someBytes(rest.length), { path, start: 1000, total }))).toBe('423 busy');
    expect(code(await writing)).toBe('200 uploading');
    expect(release).not.toHaveBeenCalled();
    await finish(other, path);
  });

  it('are kept, and so is what is being written, when a completion asks', async () => {
    const path = await begin(app, first, '*');
    const chunk = openPut(app, rest.length, { path, start: 1000, total: '*' });
    await chunk.send(rest.subarray(0, 4000));
    await until(() => isLeased(app, path));
    expect(code(await complete(other, path, first))).toBe('423 busy');
    await chunk.send(rest.subarray(4000));
    chunk.end();
    expect((await chunk.answer).status).toBe(200);
    await finish(other, path);
  });
});
