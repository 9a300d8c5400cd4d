import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  Body,
  Controller,
  Get,
  type INestApplication,
  Module,
  Post,
  RequestMethod,
  ValidationPipe,
  VersioningType,
} from '@nestjs/common';
import { NestFactory, RouterModule } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { TypeOrmModule } from '@nestjs/typeorm';
import { IsString } from 'class-validator';
import { ChunkedUploadModule, LocalStorage } from '../../src/index.js';
import { type Answer, file, form, md5, RawConnection, send, UploadClient } from '../support/http.js';
import {
  ADAPTERS,
  type AdapterName,
  startTestApp,
  type TestApp,
  type TestAppOptions,
  type TestDatabase,
} from '../support/test-app.js';

class NoteDto {
  @IsString()
  text: string;
}

/** The app's own routes, beside ours, whose bodies are parsed as ever. */
@Controller()
class NotesController {
  @Post('notes')
  note(@Body() note: NoteDto): object {
    return { got: note.text };
  }

  @Post('uploads/notes')
  near(@Body() note: NoteDto): object {
    return { got: note.text };
  }

  @Post('own/articles')
  article(@Body() note: NoteDto): object {
    return { got: note.text };
  }

  /** Looks like one of ours. */
  @Get('own/articles/:id/content')
  content(): string {
    return 'content';
  }
}

@Module({ controllers: [NotesController] })
class NotesModule {}

/** Chunks that a body parser would make something of. */
const BODIES: [string, Record<string, string>, string][] = [
  ['JSON', { 'Content-Type': 'application/json' }, '{"a": [1, 2]}'],
  ['broken JSON', { 'Content-Type': 'application/json' }, '{"a": [1, '],
  ['300 kB of JSON', { 'Content-Type': 'application/json; charset=utf-8' }, `["${'x'.repeat(300_000)}"]`],
  ['2 MB of JSON', { 'Content-Type': 'application/json' }, `["${'x'.repeat(2_000_000)}"]`],
  ['problem+json', { 'Content-Type': 'application/problem+json' }, '{}'],
  ['a urlencoded form', { 'Content-Type': 'application/x-www-form-urlencoded' }, 'md5=0&a[b]=c'],
  ['text', { 'Content-Type': 'text/plain; charset=nonsense' }, 'text'],
  ['XML', { 'Content-Type': 'application/xml' }, '<a/>'],
  ['bytes', { 'Content-Type': 'application/octet-stream' }, '\0\x01'],
  ['no content type', {}, '{"a": 1}'],
  ['an empty content type', { 'Content-Type': '' }, '{"a": 1}'],
  ['an absurd content type', { 'Content-Type': '*/*; ;;=,\t{"' }, '{"a": 1}'],
  ['a long content type', { 'Content-Type': `text/${'x'.repeat(5000)}` }, '{"a": 1}'],
  ['multipart of another kind', { 'Content-Type': 'multipart/mixed; boundary=b' }, '--b--'],
];

const TELLING = BODIES.filter(([name]) =>
  ['JSON', 'broken JSON', '300 kB of JSON', 'a urlencoded form'].includes(name),
);

/** The app's own routes that take JSON. */
const OWN = ['notes', 'uploads/notes', 'own/articles'];

interface Mounting extends Omit<TestAppOptions, 'adapter'> {
  /** Where the upload route is then. */
  readonly at?: string;
  readonly headers?: Record<string, string>;
  /** Where the app's own routes are. */
  readonly notes?: string;
  readonly own?: readonly string[];
  readonly isParsing?: boolean;
  /** Whether every body is tried here, or only the telling ones. */
  readonly isThorough?: boolean;
}

const configured = (configure: (app: INestApplication) => void): Mounting => ({ configure });

const MOUNTINGS: [string, Mounting][] = [
  ['as it is', { isThorough: true }],
  ['without body parsers', { nest: { bodyParser: false }, isParsing: false, isThorough: true }],
  ['with raw bodies', { nest: { rawBody: true }, isThorough: true }],
  [
    'under a strict ValidationPipe',
    configured((app) =>
      app.useGlobalPipes(
        new ValidationPipe({ whitelist: true, forbidNonWhitelisted: true, transform: true }),
      ),
    ),
  ],
  [
    'under a global prefix',
    { ...configured((app) => app.setGlobalPrefix('api/v9')), at: '/api/v9/upload', notes: '/api/v9' },
  ],
  [
    'excluded from a global prefix',
    {
      ...configured((app) =>
        app.setGlobalPrefix('api/v9', { exclude: [{ path: 'upload{/*rest}', method: RequestMethod.ALL }] }),
      ),
      notes: '/api/v9',
    },
  ],
  [
    'in a version of the path',
    {
      ...configured((app) => app.setGlobalPrefix('api').enableVersioning({ type: VersioningType.URI })),
      upload: { version: '2' },
      at: '/api/v2/upload',
      notes: '/api',
    },
  ],
  [
    'in two versions of the path',
    {
      ...configured((app) => app.enableVersioning({ type: VersioningType.URI })),
      upload: { version: ['1', '2'] },
      at: '/v1/upload',
    },
  ],
  [
    'in a version by header',
    {
      ...configured((app) => app.enableVersioning({ type: VersioningType.HEADER, header: 'X-Version' })),
      upload: { version: '2' },
      headers: { 'X-Version': '2' },
    },
  ],
  [
    'in a version by media type',
    {
      ...configured((app) => app.enableVersioning({ type: VersioningType.MEDIA_TYPE, key: 'v=' })),
      upload: { version: '2' },
      headers: { Accept: 'application/json;v=2' },
    },
  ],
  ['on a path of its own', { upload: { path: 'files/in' }, at: '/files/in' }],
  ['on a path with slashes around it', { upload: { path: '/files/in/' }, at: '/files/in' }],
  [
    'on a path with a parameter',
    { upload: { path: 'projects/:project/uploads' }, at: '/projects/7/uploads' },
  ],
  [
    'on the root under a prefix',
    {
      ...configured((app) => app.setGlobalPrefix('bytes')),
      upload: { path: '' },
      at: '/bytes',
      notes: '/bytes',
      // What has one segment only is ours there.
      own: ['uploads/notes', 'own/articles'],
    },
  ],
  [
    'under a router module',
    {
      imports: [RouterModule.register([{ path: 'admin', module: ChunkedUploadModule }])],
      at: '/admin/upload',
    },
  ],
];

/** An app behind a proxy that it trusts. */
async function startBehindProxy(
  adapter: AdapterName,
  { url }: TestDatabase,
  root: string,
): Promise<INestApplication> {
  @Module({
    imports: [
      TypeOrmModule.forRoot({ type: 'postgres', url, autoLoadEntities: true, retryAttempts: 0 }),
      ChunkedUploadModule.forRoot({ anonymous: true, cleanup: false, storage: new LocalStorage({ root }) }),
    ],
  })
  class ProxiedModule {}
  const isExpress = adapter === 'express';
  const http = isExpress ? new ExpressAdapter() : new FastifyAdapter({ trustProxy: true });
  if (http instanceof ExpressAdapter) http.set('trust proxy', true);
  const app = await NestFactory.create(ProxiedModule, http, { logger: false });
  await app.listen(0, '127.0.0.1');
  return app;
}

/** A slash behind a route is the same route: drf-chunked-upload has it behind all of its own. */
async function expectSlashed(client: UploadClient, created: Answer): Promise<void> {
  expect(created.json.url).toBe(`${client.base}/${String(created.json.id)}`);
  const path = `/${String(created.json.id)}/`;
  expect((await client.send(path, { method: 'HEAD' })).headers['upload-offset']).toBe('3');
  expect((await client.complete(path.slice(1), { md5: md5('abc') })).status).toBe(200);
  expect((await client.send(`${path}content/`)).text).toBe('abc');
}

describe.each(ADAPTERS)('An app on %s that has uploads', (adapter) => {
  let home: TestApp;
  beforeAll(async () => {
    home = await startTestApp({ adapter });
  });
  afterAll(() => home.close());

  const start = ({ imports = [], upload, ...options }: TestAppOptions): Promise<TestApp> => {
    const { database, root } = home;
    const shared = { adapter, database, root, imports: [NotesModule, ...imports] };
    // A body that somebody else has read never comes.
    return startTestApp({ ...options, ...shared, upload: { idleTimeout: 1000, ...upload } });
  };

  it('leaves the app’s own routes as they are, whatever they end in', async () => {
    const refuse = (_request: unknown, reply: { code(status: number): { send(): void } }) =>
      reply.code(401).send();
    const handler = (_request: unknown, reply: { send(text: string): void }) => reply.send('let in');
    const app = await start({
      configure: (nest) => {
        const adapter = nest.getHttpAdapter();
        if (adapter.getType() !== 'fastify') return;
        const fastify = adapter.getInstance() as { route(route: object): void };
        const method = ['GET', 'POST'];
        for (const url of ['/internal/upload', '/internal/upload/:id'])
          fastify.route({ method, url, handler, preHandler: refuse });
      },
    });
    try {
      for (const path of ['/internal/upload', '/internal/upload/', '/internal/upload/7/']) {
        expect([401, 404]).toContain((await send(`${app.origin}${path}`)).status);
      }
      expect((await send(`${app.origin}/upload/`)).status).toBe(200);
    } finally {
      await app.close();
    }
  });

  it.each(MOUNTINGS)(
    '%s: takes chunks as bytes, gives urls that work, and parses its own bodies',
    async (_where, mounting) => {
      const {
        at = '/upload',
        headers = {},
        notes = '',
        isParsing = true,
        isThorough = false,
        own = OWN,
        ...options
      } = mounting;
      const app = await start(options);
      try {
        const client = new UploadClient(`${app.origin}${at}`, headers);
        for (const [name, type, body] of isThorough ? BODIES : TELLING) {
          const created = await client.put('', body, {}, type);
          expect([name, created.status, created.json.offset]).toEqual([name, 200, body.length]);
          const url = String(created.json.url);
          expect([url, created.headers.location]).toEqual([
            `${app.origin}${at}/${String(created.json.id)}`,
            url,
          ]);
          const completed = await send(url, {
            method: 'POST',
            headers: { ...headers, 'Content-Type': 'application/json' },
            body: JSON.stringify({ md5: md5(body) }),
          });
          expect([name, completed.status, completed.json.url]).toEqual([name, 200, url]);
          expect((await send(`${url}/content`, { headers })).text).toBe(body);
        }
        const slashed = await client.put('/', 'abc');
        await expectSlashed(client, slashed);
        const inForm = await client.send('', {
          method: 'POST',
          ...form(file('abc'), { name: 'md5', value: md5('abc') }),
        });
        expect(inForm.headers.location).toBe(`${app.origin}${at}/${String(inForm.json.id)}`);
        const list = (await client.send('?limit=1')).json.items as { id: string; url: string }[];
        expect(list[0]?.url).toBe(`${app.origin}${at}/${String(list[0]?.id)}`);
        expect((await client.send(`/${String(inForm.json.id)}`)).json.url).toBe(inForm.headers.location);
        const refused = await client.send('', {
          method: 'PUT',
          headers: { 'Content-Type': 'application/json' },
          body: '{',
        });
        expect([refused.status, refused.json.code]).toEqual([400, 'content_range_missing']);

        if (!isParsing) return;
        for (const path of own.map((one) => `${notes}/${one}`)) {
          const parsed = await new UploadClient(app.origin).post(path, { text: 'hello' });
          expect([path, parsed.status, parsed.json]).toEqual([path, 201, { got: 'hello' }]);
          const broken = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{' };
          expect((await send(`${app.origin}${path}`, broken)).status).toBe(400);
        }
      } finally {
        await app.close();
      }
    },
  );

  it('answers a version it does not have with 404', async () => {
    const configure = (one: INestApplication) =>
      one.enableVersioning({ type: VersioningType.HEADER, header: 'X-Version' });
    const before = (await home.rows()).length;
    const app = await start({ configure, upload: { version: '2' } });
    try {
      const client = new UploadClient(`${app.origin}/upload`);
      for (const headers of [{}, { 'X-Version': '3' }])
        expect(
          (await client.put('', '{"a":1}', {}, { ...headers, 'Content-Type': 'application/json' })).status,
        ).toBe(404);
      expect(await app.rows()).toHaveLength(before);
    } finally {
      await app.close();
    }
  });

  it('gives urls behind publicUrl, whatever the request says', async () => {
    const app = await start({
      configure: (one) => void one.setGlobalPrefix('api'),
      upload: { publicUrl: 'https://files.example.com/x/' },
    });
    try {
      const client = new UploadClient(`${app.origin}/api/upload`, {
        Host: 'evil.example',
        'X-Forwarded-Host': 'evil.example',
      });
      const created = await client.put('', 'abc');
      expect(created.json.url).toBe(`https://files.example.com/x/api/upload/${String(created.json.id)}`);
      expect(created.headers.location).toBe(created.json.url);
    } finally {
      await app.close();
    }
  });

  it('believes X-Forwarded-* only where the framework does', async () => {
    const headers = {
      'X-Forwarded-Proto': 'https',
      'X-Forwarded-Host': 'files.example.com',
      Host: 'internal:8080',
    };
    const urlAt = async (origin: string) => {
      const { json } = await new UploadClient(`${origin}/upload`, headers).put('', 'abc');
      return String(json.url).slice(0, -String(json.id).length);
    };
    expect(await urlAt(home.origin)).toBe('http://internal:8080/upload/');
    const proxied = await startBehindProxy(adapter, home.database, home.root);
    try {
      expect(await urlAt(await proxied.getUrl())).toBe('https://files.example.com/upload/');
    } finally {
      await proxied.close();
    }
  });

  it.each([
    [
      'characters that end a host',
      ['evil.com/path', 'evil.com?x', 'evil.com#x', 'user@evil.com', 'evil.com\\x', 'a,b', ''],
    ],
    ['characters of no host', ['a b', '<script>', '"', "'", '%00', 'x:1:2', 'javascript:alert(1)']],
    ['a port that is none', ['evil.com:99999', 'evil.com:port', 'evil.com:-1']],
    ['an address that is none', ['999.999.999.999', '[::::]', '[::1', '1.2.3.4.5']],
  ])('never makes a url of a Host with %s', async (_what, hosts) => {
    for (const host of hosts) {
      const connection = new RawConnection(home.origin).write(
        `PUT /upload HTTP/1.1\r\nHost: ${host}\r\nContent-Range: bytes 0-2/3\r\nContent-Length: 3\r\n\r\nabc`,
      );
      const { status, json } = await connection.answer();
      connection.destroy();
      if (status === 200) expect([host, json.url]).toEqual([host, `/upload/${String(json.id)}`]);
      else expect([host, status]).toEqual([host, 400]);
    }
  });

  it('makes urls of every Host that is one', async () => {
    for (const host of ['files.example.com', 'a_b.example:8080', '[::1]:80', '127.0.0.1']) {
      const created = await new UploadClient(`${home.origin}/upload`, { Host: host }).put('', 'abc');
      expect(created.json.url).toBe(`http://${host}/upload/${String(created.json.id)}`);
    }
  });
});
