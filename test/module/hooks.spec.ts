import { afterEach, describe, expect, it } from '@jest/globals';
import { ForbiddenException } from '@nestjs/common';
import { type RestUploadsController as Rest, RestUploadsController, UploadError } from '../../src/index.js';
import { call, chunkHeaders, complete, put } from '../engine/support/client.js';
import { ADAPTERS, startTestApp, type TestApp, type TestAppOptions } from '../support/test-app.js';

/** Answers with less. */
class TerseController extends RestUploadsController {
  override async detail(...parameters: Parameters<Rest['detail']>): ReturnType<Rest['detail']> {
    const { id, offset } = await super.detail(...parameters);
    return { id, offset } as Awaited<ReturnType<Rest['detail']>>;
  }
}

const bytes = Buffer.from('hello');
const as = (user: string) => ({ user });

describe.each(ADAPTERS)('Hooks and settings of a request, on %s', (adapter) => {
  let apps: TestApp[] = [];
  const start = async (upload: TestAppOptions['upload']) => {
    const app = await startTestApp({ adapter, upload });
    apps.push(app);
    return app;
  };
  const byHeader = (request: unknown) =>
    (request as { headers: Record<string, string | undefined> }).headers.user ?? null;

  afterEach(async () => {
    for (const app of apps) await app.close();
    apps = [];
  });

  it('inspectChunk sees the first bytes of every chunk, and refuses one before it is stored', async () => {
    const seen: [number, string][] = [];
    const app = await start({
      inspectChunk: (upload, firstBytes) => {
        seen.push([upload.offset, firstBytes.subarray(0, 3).toString()]);
        if (firstBytes.includes('bad')) throw new UploadError('refused', 'No bad bytes.');
        if (firstBytes.includes('evil')) throw new ForbiddenException('No evil bytes.');
      },
    });
    const path = `/upload/${String((await put(app, bytes, { total: 10 })).body.id)}`;
    expect((await put(app, Buffer.from('a bad'), { path, start: 5, total: 10 })).body).toMatchObject({
      status: 400,
      code: 'refused',
    });
    expect((await put(app, Buffer.from('aevil'), { path, start: 5, total: 10 })).status).toBe(403);
    expect((await call(app, path)).body.offset).toBe(5);
    expect((await put(app, Buffer.from('world'), { path, start: 5, total: 10 })).status).toBe(200);
    expect((await put(app, Buffer.from('bad at once'))).status).toBe(400);
    expect(seen.map(([offset]) => offset)).toEqual([0, 5, 5, 5, 0]);
    expect(seen[3]).toEqual([5, 'wor']);
    expect([(await app.rows()).length, (await app.files()).length]).toEqual([1, 1]);
  });

  it('limits and visibility depend on the request', async () => {
    const app = await start({
      anonymous: false,
      resolveUser: byHeader,
      maxBytes: ({ userId }) => (userId === 'paying' ? '10b' : '4b'),
      allowedExtensions: async ({ userId }) =>
        Promise.resolve(userId === 'paying' ? ['txt', 'exe'] : ['txt']),
      userRestricted: ({ userId }) => userId !== 'admin',
    });
    const send = (user: string, name: string) =>
      call(app, `/upload?filename=${name}`, {
        method: 'PUT',
        headers: { ...chunkHeaders(0, 5, 5), user },
        body: bytes,
      });
    expect((await send('poor', 'a.txt')).body.code).toBe('too_large');
    const kept = await send('paying', 'a.exe');
    expect(kept.status).toBe(200);
    const path = `/upload/${String(kept.body.id)}`;
    expect((await call(app, path, { headers: as('poor') })).status).toBe(404);
    expect((await call(app, path, { headers: as('admin') })).status).toBe(200);
    expect(((await call(app, '/upload', { headers: as('admin') })).body.items as unknown[]).length).toBe(1);
    expect(((await call(app, '/upload', { headers: as('poor') })).body.items as unknown[]).length).toBe(0);
  });

  it('render changes what is told, response how it is written, errors too', async () => {
    const app = await start({
      render: (body, upload, { userId }) => ({ id: body.id, label: upload.filename, userId }),
      response: { contentType: 'text/plain; charset=utf-8', encode: (body) => `>${JSON.stringify(body)}` },
    });
    const created = await put(app, bytes, { total: 9 });
    expect(created.headers['content-type']).toMatch(/^text\/plain/);
    const { id } = JSON.parse(created.bytes.toString().slice(1)) as { id: string };
    const [row] = await app.rows();
    expect(created.bytes.toString()).toBe(`>${JSON.stringify({ id, label: row?.filename, userId: null })}`);
    expect((await call(app, '/upload')).bytes.toString()).toContain('>{"items":[{"id":');
    const refused = await put(app, bytes, { path: `/upload/${id}`, start: 3, total: 9 });
    expect([refused.status, refused.headers['content-type']]).toEqual([400, 'text/plain; charset=utf-8']);
    expect(JSON.parse(refused.bytes.toString().slice(1))).toMatchObject({ code: 'offset_mismatch' });
  });

  it('a controller of the app changes a step, and keeps the routes', async () => {
    const app = await start({ controller: TerseController });
    const created = await put(app, bytes);
    const path = `/upload/${String(created.body.id)}`;
    expect((await call(app, path)).body).toEqual({ id: created.body.id, offset: 5 });
    expect((await complete(app, path, bytes)).body).toMatchObject({ status: 'complete' });
    expect((await call(app, `${path}/content`)).bytes).toEqual(bytes);
    expect((await call(app, path, { method: 'PATCH' })).status).toBe(405);
  });
});
