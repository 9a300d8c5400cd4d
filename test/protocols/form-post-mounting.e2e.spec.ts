import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Body, Controller, type INestApplication, Module, Post, VersioningType } from '@nestjs/common';
import { NestFactory, RouterModule } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Entity } from 'typeorm';
import { AbstractChunkedUpload, ChunkedUploadModule, LocalStorage } from '../../src/index.js';
import { file, form, md5, noise, RawConnection, send, UploadClient } from '../support/http.js';
import { ADAPTERS, startTestApp, type TestApp, type TestAppOptions } from '../support/test-app.js';
import { DjangoClient } from './support/django-client.js';

/** The app's own route, with a path near ours, whose bodies are parsed as ever. */
@Controller()
class NotesController {
  @Post(['notes', 'chunked_uploads', 'legacy_complete'])
  note(@Body() note: { text: string }): object {
    return { got: note.text };
  }
}

@Module({ controllers: [NotesController] })
class NotesModule {}

interface Mounting extends Omit<TestAppOptions, 'adapter'> {
  /** Where the chunks go then. */
  readonly at?: string;
  readonly headers?: Record<string, string>;
  /** Where the app's own routes are. */
  readonly notes?: string;
  readonly isParsing?: boolean;
}

const configured = (configure: (app: INestApplication) => void): Mounting => ({ configure });

const MOUNTINGS: [string, Mounting][] = [
  ['as it is', {}],
  ['without body parsers', { nest: { bodyParser: false }, isParsing: false }],
  ['with raw bodies', { nest: { rawBody: true } }],
  [
    'under a global prefix',
    { ...configured((app) => app.setGlobalPrefix('api/v9')), at: '/api/v9/chunked_upload', notes: '/api/v9' },
  ],
  [
    'in two versions of the path',
    {
      ...configured((app) => app.setGlobalPrefix('api').enableVersioning({ type: VersioningType.URI })),
      upload: { version: ['1', '2'] },
      at: '/api/v2/chunked_upload',
      notes: '/api',
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
  ['on a path of its own', { upload: { formPostPath: '/api/legacy/' }, at: '/api/legacy' }],
  [
    'under a router module',
    {
      imports: [RouterModule.register([{ path: 'admin', module: ChunkedUploadModule }])],
      at: '/admin/chunked_upload',
    },
  ],
];

describe.each(ADAPTERS)('An app on %s that has the form-post door', (adapter) => {
  let home: TestApp;
  beforeAll(async () => {
    home = await startTestApp({ adapter });
  });
  afterAll(() => home.close());

  const start = ({ imports = [], upload, ...options }: TestAppOptions): Promise<TestApp> => {
    const { database, root } = home;
    return startTestApp({
      ...options,
      adapter,
      database,
      root,
      imports: [NotesModule, ...imports],
      // A body that somebody else has read never comes.
      upload: { idleTimeout: 1000, doors: ['rest', 'form-post'], ...upload },
    });
  };

  it.each(MOUNTINGS)(
    '%s: serves the page of the Django demo, and parses its own bodies',
    async (_where, mounting) => {
      const { at = '/chunked_upload', headers = {}, notes = '', isParsing = true, ...options } = mounting;
      const app = await start(options);
      try {
        for (const slash of ['/', '']) {
          const uploadUrl = `${app.origin}${at}${slash}`;
          const completeUrl = `${app.origin}${at}_complete${slash}`;
          const page = new DjangoClient({ uploadUrl, completeUrl, headers });
          for (const length of [0, 1, 100_000, 100_001, 350_000]) {
            const bytes = noise(length);
            const { chunks, completed } = await page.upload(bytes, 'Größe 1.bin');
            expect([length, chunks.length]).toEqual([length, Math.max(1, Math.ceil(length / 100_000))]);
            expect([length, completed.status, completed.text]).toEqual([length, 200, '{}']);
            const id = String(chunks[0]?.json.upload_id);
            const upload = (await app.rows()).find((row) => String(row.id).replaceAll('-', '') === id);
            expect(upload).toMatchObject({
              status: 'complete',
              filename: 'Größe 1.bin',
              size: String(length),
            });
            expect(upload?.checksums).toEqual({ md5: md5(bytes) });
          }
          for (const body of ['{"upload_id":', `{"upload_id":"${'x'.repeat(300_000)}"}`]) {
            const sent = { ...headers, 'Content-Type': 'application/json' };
            const refused = await send(completeUrl, { method: 'POST', headers: sent, body });
            expect([refused.status, refused.headers['content-type']]).toEqual([
              400,
              expect.stringContaining('problem+json'),
            ]);
          }
        }
        if (!isParsing) return;
        for (const path of ['notes', 'chunked_uploads', 'legacy_complete']) {
          const parsed = await new UploadClient(app.origin).post(`${notes}/${path}`, { text: 'hello' });
          expect([path, parsed.status, parsed.json]).toEqual([path, 201, { got: 'hello' }]);
        }
      } finally {
        await app.close();
      }
    },
  );

  it('refuses a chunk by its headers, before a client that waits sends the body', async () => {
    const app = await start({ upload: { maxBytes: 1000 } });
    try {
      const { headers } = form(file('abc'));
      const request = { ...headers, Expect: '100-continue', 'Content-Length': 5000 };
      const refused = new RawConnection(app.origin).head('POST /chunked_upload/', {
        ...request,
        'Content-Range': 'bytes 0-2/5000',
      });
      expect((await refused.answer()).json.code).toBe('too_large');
      expect(refused.received).not.toContain('100 Continue');
      refused.destroy();
      const taken = new RawConnection(app.origin).head('POST /chunked_upload/', {
        ...request,
        'Content-Range': 'bytes 0-2/3',
      });
      await taken.until(/100 Continue/);
      taken.destroy();
    } finally {
      await app.close();
    }
  });
});

it('has one route for both spellings where Fastify ignores the slash itself', async () => {
  const home = await startTestApp({ adapter: 'fastify' });
  @Module({
    imports: [
      TypeOrmModule.forRoot({
        type: 'postgres',
        url: home.database.url,
        autoLoadEntities: true,
        retryAttempts: 0,
      }),
      ChunkedUploadModule.forRoot({
        anonymous: true,
        cleanup: false,
        doors: ['form-post'],
        storage: new LocalStorage({ root: home.root }),
      }),
    ],
  })
  class SlashlessModule {}
  const http = new FastifyAdapter({ routerOptions: { ignoreTrailingSlash: true } });
  const app = await NestFactory.create(SlashlessModule, http, { logger: false, abortOnError: false });
  try {
    await app.listen(0, '127.0.0.1');
    const base = `${await app.getUrl()}/chunked_upload`;
    for (const slash of ['', '/'])
      expect((await send(`${base}${slash}`, { method: 'POST', ...form(file('abc')) })).json.offset).toBe(3);
  } finally {
    await app.close();
    await home.close();
  }
});

@Entity('form_post_avatar')
class Avatar extends AbstractChunkedUpload {}

it.each(ADAPTERS)('serves each upload type on %s, below its own path', async (adapter) => {
  const doors = ['rest', 'form-post'] as const;
  const app = await startTestApp({
    adapter,
    upload: { doors },
    imports: [ChunkedUploadModule.forFeature([{ entity: Avatar, path: 'avatars', doors }])],
    entities: [Avatar],
  });
  try {
    for (const base of ['/chunked_upload', '/avatars/chunked_upload']) {
      const url = `${app.origin}${base}`;
      const page = new DjangoClient({ uploadUrl: `${url}/`, completeUrl: `${url}_complete/` });
      expect((await page.upload(noise(150_000), 'a.bin')).completed.text).toBe('{}');
    }
    expect([(await app.rows()).length, await app.dataSource.getRepository(Avatar).count()]).toEqual([1, 1]);
    expect((await send(`${app.origin}/avatars/no-id`, { method: 'POST' })).status).toBe(404);
  } finally {
    await app.close();
  }
});
