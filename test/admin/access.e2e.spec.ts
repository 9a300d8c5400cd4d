import { afterEach, describe, expect, it } from '@jest/globals';
import { type INestApplication, SetMetadata, VersioningType } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { randomUUID } from 'node:crypto';
import type { UploadAdminOptions } from '../../src/admin/admin-options.js';
import { InvalidOptionError } from '../../src/index.js';
import { ChunkedUploadAdminModule } from '../../src/upload-admin.module.js';
import { call } from '../engine/support/client.js';
import { ADAPTERS, startTestApp, type TestApp } from '../support/test-app.js';
import { AdminGuard, beginUpload, look, remove, startAdminApp, tell } from './support/admin-app.js';

const ROUTES = [
  ['GET', ''],
  ['GET', '/usage'],
  ['GET', '/types'],
  ['GET', '/cleanup'],
  ['POST', '/cleanup'],
  ['POST', '/bulk'],
  ['GET', `/ChunkedUpload/${randomUUID()}`],
  ['DELETE', `/ChunkedUpload/${randomUUID()}`],
  ['POST', `/ChunkedUpload/${randomUUID()}/extend`],
] as const;

describe('ChunkedUploadAdminModule', () => {
  it.each([
    undefined,
    {},
    { guards: undefined },
    { guards: [] },
    { guards: [undefined] },
    { guards: [], path: 'x' },
  ])('does not boot unguarded: %p', (options) => {
    const boot = () => ChunkedUploadAdminModule.forRoot(options as unknown as UploadAdminOptions);
    expect(boot).toThrow(InvalidOptionError);
    expect(boot).toThrow('ChunkedUploadAdminModule.forRoot({ guards: [YourAdminGuard] })');
  });
});

describe.each(ADAPTERS)('Access to the admin API, on %s', (adapter) => {
  let app: TestApp | undefined;
  afterEach(async () => {
    await app?.close();
    app = undefined;
  });
  const start = async (
    ...[setup]: Parameters<typeof startAdminApp> extends [unknown, ...infer Rest] ? Rest : never
  ) => (app = await startAdminApp(adapter, setup));

  it('is for whom the guards let pass, on every route', async () => {
    const started = await start();
    const id = await beginUpload(started, { user: 'ann' });
    for (const [method, path] of ROUTES) {
      for (const [headers, status, code] of [
        [{}, 401, 'unauthenticated'],
        [{ 'x-role': 'user', 'x-user': 'ann' }, 403, 'forbidden'],
      ] as const) {
        const answer = await call(started, `/admin/uploads${path}`, { method, headers: { ...headers } });
        expect([method, path, answer.status, answer.body.code]).toEqual([method, path, status, code]);
        expect(answer.headers['content-type']).toMatch('application/problem+json');
        expect(answer.headers['cache-control']).toBe('no-store');
      }
    }
    expect((await call(started, `/admin/uploads/ChunkedUpload/${id}`, { method: 'DELETE' })).status).toBe(
      401,
    );
    expect((await look(started)).body.items.length).toBe(1);
  });

  it('is off unless it is imported', async () => {
    app = await startTestApp({ adapter });
    for (const [method, path] of ROUTES)
      expect(
        (await call(app, `/admin/uploads${path}`, { method, headers: { 'x-role': 'admin' } })).status,
      ).toBe(404);
  });

  it('changes nothing where it is read-only', async () => {
    const started = await start({ admin: { readOnly: true } });
    const id = await beginUpload(started);
    const refused = await Promise.all([
      remove(started, `/ChunkedUpload/${id}`),
      tell(started, `/ChunkedUpload/${id}/extend`, { by: '2d' }),
      tell(started, '/bulk', { action: 'delete', items: [{ type: 'ChunkedUpload', id }] }),
      tell(started, '/cleanup', { unfinished: true }),
    ]);
    expect(refused.map(({ status, body }) => [status, body.code])).toEqual(Array(4).fill([403, 'forbidden']));
    for (const path of ['', '/usage', '/types', '/cleanup', `/ChunkedUpload/${id}`])
      expect((await look(started, path)).status).toBe(200);
    const unsigned = await call(started, '/admin/uploads/bulk', { method: 'POST' });
    expect(unsigned.status).toBe(401);
  });

  it('answers other methods with those there are, and HEAD like GET', async () => {
    const started = await start();
    const headers = { 'x-role': 'admin' };
    for (const [method, path, allow] of [
      ['POST', '', 'GET, HEAD, OPTIONS'],
      ['DELETE', '', 'GET, HEAD, OPTIONS'],
      ['GET', '/bulk', 'OPTIONS, POST'],
      ['PUT', '/cleanup', 'GET, HEAD, OPTIONS, POST'],
      ['PATCH', `/ChunkedUpload/${randomUUID()}`, 'DELETE, GET, HEAD, OPTIONS'],
    ]) {
      const answer = await call(started, `/admin/uploads${path}`, { method, headers });
      expect([answer.status, answer.headers.allow]).toEqual([405, allow]);
    }
    const head = await call(started, '/admin/uploads', { method: 'HEAD', headers });
    expect([head.status, head.bytes.length, head.headers['cache-control']]).toEqual([200, 0, 'no-store']);
    const options = await call(started, '/admin/uploads', { method: 'OPTIONS', headers });
    expect([options.status, options.headers.allow]).toEqual([204, 'GET, HEAD, OPTIONS']);
  });

  it('stands where it is put, prefix, version and decorators included', async () => {
    const started = await start({
      admin: {
        path: '/ops/files/',
        version: '2',
        decorators: [SetMetadata('mark', 'here')],
        guards: [new AdminGuard()],
      },
      configure: (nest: INestApplication) => {
        nest.setGlobalPrefix('api');
        nest.enableVersioning({ type: VersioningType.URI });
      },
    });
    const headers = { 'x-role': 'admin' };
    expect((await call(started, '/api/v2/ops/files/types', { headers })).status).toBe(200);
    expect((await call(started, '/api/v2/ops/files', { headers })).status).toBe(200);
    expect((await call(started, '/api/ops/files', { headers })).status).toBe(404);
  });

  it('reads bodies itself where the app parses none', async () => {
    const started = await start({ nest: { bodyParser: false } });
    const id = await beginUpload(started);
    const path = `/ChunkedUpload/${id}/extend`;
    if (adapter === 'fastify') {
      // Fastify always parses JSON.
      expect((await tell(started, path, { by: '1d' })).status).toBe(200);
      return;
    }
    expect((await tell(started, path, { by: '1d' })).status).toBe(200);
    expect((await tell(started, path, '{')).body).toMatchObject({ code: 'malformed_request', status: 400 });
    expect((await tell(started, path, '[]')).status).toBe(400);
    expect((await tell(started, path, `{"by":"1d","x":"${'x'.repeat(20_000)}"}`)).status).toBe(413);
    expect((await tell(started, path, '{"by":"1d","__proto__":{}}')).body.detail).toMatch(
      'There is no "__proto__" here',
    );
  });

  it('is documented for OpenAPI: every route, with what it takes and answers', async () => {
    const started = await start();
    const document = SwaggerModule.createDocument(started.app, new DocumentBuilder().build());
    const paths = Object.entries(document.paths).filter(([path]) => path.startsWith('/admin/uploads'));
    const operations = paths.flatMap(([path, methods]) =>
      Object.keys(methods)
        .filter((method) => method !== 'parameters')
        .map((method) => `${method} ${path.slice('/admin/uploads'.length)}`),
    );
    expect(operations.sort()).toEqual([
      'delete /{type}/{id}',
      'get ',
      'get /cleanup',
      'get /types',
      'get /usage',
      'get /{type}/{id}',
      'post /bulk',
      'post /cleanup',
      'post /{type}/{id}/extend',
    ]);
    const list = document.paths['/admin/uploads']?.get;
    expect(list?.parameters?.map((parameter) => ('name' in parameter ? parameter.name : ''))).toContain(
      'completed_before',
    );
    expect(list?.summary).toMatch(/everybody/);
    expect(JSON.stringify(document.paths['/admin/uploads/bulk'])).toMatch('"maxItems":100');
  });
});
