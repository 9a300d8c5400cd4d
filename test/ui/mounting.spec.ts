import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type CanActivate, type INestApplication, RequestMethod, VersioningType } from '@nestjs/common';
import { ChunkedUploadUiModule, InvalidOptionError } from '../../src/index.js';
import { type Answer, send } from '../support/http.js';
import { ADAPTERS, startTestApp, type TestApp, type TestAppOptions } from '../support/test-app.js';

const CSP =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
  "worker-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";
const STYLE = 'upload-page/ui/page/theme.css';

const endpointIn = ({ text }: Answer): string | undefined => /data-endpoint="([^"]*)"/.exec(text)?.[1];

describe.each(ADAPTERS)('The page on %s', (adapter) => {
  let app: TestApp;

  beforeAll(async () => {
    app = await startTestApp({
      adapter,
      imports: [ChunkedUploadUiModule.forRoot({ path: 'my/files', title: '<Ann & "Ben">' })],
      configure: (nest: INestApplication) => {
        nest.setGlobalPrefix('api');
        nest.enableVersioning({ type: VersioningType.HEADER, header: 'X-Version' });
      },
    });
  });
  afterAll(() => app.close());

  const get = (path: string, method = 'GET', headers = {}): Promise<Answer> =>
    send(`${app.origin}/api/my${path}`, { method, headers });

  it('is html that browsers keep nothing of and run nothing else in', async () => {
    const { status, headers, text } = await get('/files/');
    expect(status).toBe(200);
    expect(headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': CSP,
      'cache-control': 'no-cache',
      'x-content-type-options': 'nosniff',
    });
    expect(text).toContain('<h1>&#60;Ann &#38; &#34;Ben&#34;&#62;</h1>');
    expect(text).not.toMatch(/(href|src)="(\/|\w+:)/);
  });

  it('sends who forgot the slash there, relatively', async () => {
    const { status, headers } = await get('/files');
    expect([status, headers.location]).toEqual([307, './files/']);
  });

  it('uploads to the route beside it', async () => {
    const { text } = await get('/files/');
    const endpoint = new URL(/data-endpoint="([^"]*)"/.exec(text)?.[1] ?? '', `${app.origin}/api/my/files/`);
    expect(endpoint.pathname).toBe('/api/upload');
  });

  it('has its files, and no others', async () => {
    const style = await get(`/files/${STYLE}`);
    expect([style.status, style.headers['content-type']]).toEqual([200, 'text/css; charset=utf-8']);
    for (const path of [
      'ui/page/index.html',
      'ui/static-files.ts',
      '../package.json',
      '..%2fpackage.json',
      '',
    ]) {
      expect((await get(`/files/upload-page/${path}`)).status).toBe(404);
    }
  });

  it.each(['/files/', `/files/${STYLE}`])('%s: HEAD, 304, and 405 for the rest', async (path) => {
    const { headers, bytes } = await get(path);
    const head = await get(path, 'HEAD');
    expect([head.status, head.bytes.length]).toEqual([200, 0]);
    expect(Number(head.headers['content-length'])).toBe(bytes.length);
    const same = await get(path, 'GET', { 'If-None-Match': headers.etag });
    expect([same.status, same.bytes.length]).toEqual([304, 0]);
    const refused = await get(path, 'POST');
    expect([refused.status, refused.headers.allow]).toEqual([405, 'GET, HEAD, OPTIONS']);
  });
});

describe.each(ADAPTERS)('A page that says more, on %s', (adapter) => {
  async function withPage(
    ui: Parameters<typeof ChunkedUploadUiModule.forRoot>[0],
    look: (app: TestApp) => Promise<void>,
    options: TestAppOptions = {},
  ): Promise<void> {
    const app = await startTestApp({ adapter, imports: [ChunkedUploadUiModule.forRoot(ui)], ...options });
    await look(app).finally(() => app.close());
  }

  it('stands at the root, also where the uploads have a prefix', async () => {
    const configure = (nest: INestApplication) =>
      nest.setGlobalPrefix('api', {
        exclude: ['/', 'upload-page/*file'].map((path) => ({ path, method: RequestMethod.ALL })),
      });
    await withPage(
      { endpoint: 'api/upload' },
      async ({ origin }) => {
        expect(endpointIn(await send(`${origin}/`))).toBe('./api/upload');
        expect((await send(`${origin}/${STYLE}`)).status).toBe(200);
        expect((await send(`${origin}/api/upload`)).status).toBe(200);
      },
      { configure },
    );
  });

  it('stands at a prefix, with the slash and without', async () => {
    await withPage(
      {},
      async ({ origin }) => {
        expect((await send(`${origin}/api`)).headers.location).toBe('./api/');
        expect((await send(`${origin}/api/`)).status).toBe(200);
      },
      { configure: (nest) => nest.setGlobalPrefix('api') },
    );
  });

  it('may upload to another origin, and to no third', async () => {
    await withPage({ endpoint: 'https://files.example/v1/upload?a=1' }, async ({ origin }) => {
      const page = await send(`${origin}/`);
      expect(endpointIn(page)).toBe('https://files.example/v1/upload?a=1');
      expect(page.headers['content-security-policy']).toContain("connect-src 'self' https://files.example;");
    });
  });

  it('has guards of its own, for its files as well', async () => {
    const closed: CanActivate = { canActivate: () => false };
    await withPage({ guards: [closed] }, async ({ origin }) => {
      expect((await send(`${origin}/`)).status).toBe(403);
      expect((await send(`${origin}/${STYLE}`)).status).toBe(403);
      expect((await send(`${origin}/upload`)).status).toBe(200);
    });
  });

  it('does not boot without a route to upload to', async () => {
    const started = withPage({}, () => Promise.resolve(), { upload: { path: 'files' } });
    await expect(started).rejects.toThrow(InvalidOptionError);
    await expect(withPage({}, () => Promise.resolve(), { upload: { path: 'files' } })).rejects.toThrow(
      /no route "upload", but files.*endpoint: 'your-route'/,
    );
  });
});
