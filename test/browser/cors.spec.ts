import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { uploadCors } from '../../src/upload-cors.js';
import { type Answer, md5, send, UploadClient } from '../support/http.js';
import { ADAPTERS, startTestApp, type TestApp } from '../support/test-app.js';

const PAGE = 'https://app.example.com';
const ASKED = { 'Access-Control-Request-Headers': 'authorization,content-range,x-of-the-app' };
const SAFE = [
  'Cache-Control',
  'Content-Language',
  'Content-Length',
  'Content-Type',
  'Expires',
  'Last-Modified',
];
/** Headers of every answer that are of no use to a page. */
const OTHERS = [
  ...['Access-Control-', 'Connection', 'Content-Security-Policy', 'Date', 'Keep-Alive', 'Transfer-Encoding'],
  ...['Vary', 'X-Content-Type-Options', 'X-Powered-By'],
];

let guarded = 0;

@Injectable()
class CountingGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    guarded += 1;
    const request = context.switchToHttp().getRequest<{ headers: object; user?: object }>();
    request.user = { id: 'ann' };
    return 'authorization' in request.headers;
  }
}

const ROUTES = [
  ['/upload', ['GET', 'POST', 'PUT']],
  ['/upload/2b6cbf0e-6f4c-4d0e-9a39-3b1f6a9f0e11', ['DELETE', 'GET', 'POST', 'PUT']],
  ['/upload/2b6cbf0e-6f4c-4d0e-9a39-3b1f6a9f0e11/content', ['GET']],
  ['/chunked_upload', ['POST', 'DELETE']],
  ['/chunked_upload/', ['POST', 'DELETE']],
  ['/chunked_upload_complete', ['POST']],
  ['/chunked_upload_complete/', ['POST']],
] as const;
const PREFLIGHTS = ROUTES.flatMap(([path, methods]) => methods.map((method) => [method, path] as const));

describe.each(ADAPTERS)('Pages of other origins, on %s', (adapter) => {
  let app: TestApp;

  beforeAll(async () => {
    app = await startTestApp({
      adapter,
      upload: { anonymous: false, guards: [CountingGuard], doors: ['rest', 'form-post'] },
      configure: (nest) => {
        nest.setGlobalPrefix('api');
        nest.enableCors(uploadCors({ origin: [PAGE, 'https://www.example.com'], credentials: true }));
      },
    });
  });
  beforeEach(() => {
    guarded = 0;
  });
  afterAll(() => app.close());

  const preflight = (path: string, method: string, origin = PAGE): Promise<Answer> =>
    send(`${app.origin}/api${path}`, {
      method: 'OPTIONS',
      headers: { Origin: origin, 'Access-Control-Request-Method': method, ...ASKED },
    });
  const client = () =>
    new UploadClient(`${app.origin}/api/upload`, { Origin: PAGE, Authorization: 'as the guard likes it' });
  const list = (header: unknown): string[] => String(header).split(/, */);

  it.each(PREFLIGHTS)('may %s %s, which is answered before the guards', async (method, path) => {
    const { status, headers } = await preflight(path, method);
    expect([status, guarded]).toEqual([204, 0]);
    expect(headers['access-control-allow-origin']).toBe(PAGE);
    expect(headers['access-control-allow-credentials']).toBe('true');
    expect(headers['access-control-max-age']).toBe('600');
    expect(list(headers['access-control-allow-methods'])).toContain(method);
    expect(headers['access-control-allow-headers']).toBe(ASKED['Access-Control-Request-Headers']);
    expect(list(headers.vary)).toContain('Origin');
  });

  it('may not from any other origin', async () => {
    for (const origin of [`${PAGE}.evil.example`, 'http://app.example.com', `${PAGE}:8443`, 'null']) {
      expect((await preflight('/upload', 'PUT', origin)).headers).not.toHaveProperty(
        'access-control-allow-origin',
      );
      const refused = await client().as({ Origin: origin }).send('');
      expect(refused.headers).not.toHaveProperty('access-control-allow-origin');
    }
  });

  it('can read refusals, of the guards as well', async () => {
    const anonymous = await send(`${app.origin}/api/upload`, { headers: { Origin: PAGE } });
    const malformed = await client().put('', 'abc', {}, { 'Content-Range': 'x' });
    expect([anonymous.status, malformed.status]).toEqual([403, 400]);
    for (const { headers } of [anonymous, malformed]) {
      expect(headers['access-control-allow-origin']).toBe(PAGE);
      expect(list(headers['access-control-expose-headers'])).toContain('Upload-Offset');
    }
  });

  it('can read every header that means something', async () => {
    const ann = client();
    const created = await ann.put('', 'content', { length: 3 });
    const path = `/${String(created.json.id)}`;
    const answers = [
      created,
      await ann.put(path, 'content', { start: 2 }),
      await ann.put(path, 'content', { start: 3 }),
    ];
    answers.push(await ann.post(path, { md5: md5('content') }));
    answers.push(await ann.send(`${path}/content`, { headers: { Range: 'bytes=1-2' } }));
    expect(answers.map(({ status }) => status)).toEqual([200, 400, 200, 200, 206]);
    for (const { headers } of answers) {
      const exposed = [...list(headers['access-control-expose-headers']), ...SAFE, ...OTHERS];
      const hidden = Object.keys(headers).filter(
        (name) => !exposed.some((known) => name.startsWith(known.toLowerCase())),
      );
      expect(hidden).toEqual([]);
    }
  });

  it('leave an OPTIONS that is no preflight without error', async () => {
    expect((await send(`${app.origin}/api/upload`, { method: 'OPTIONS' })).status).toBe(204);
  });
});

describe.each(ADAPTERS)('Where CORS is not enabled, on %s', (adapter) => {
  it('no page of another origin is let in', async () => {
    const app = await startTestApp({ adapter });
    const headers = { Origin: PAGE, 'Access-Control-Request-Method': 'PUT' };
    const answer = await send(`${app.origin}/upload`, { method: 'OPTIONS', headers });
    await app.close();
    expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
  });
});
