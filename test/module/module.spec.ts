import { afterEach, describe, expect, it } from '@jest/globals';
import { Injectable, Module } from '@nestjs/common';
import { ScheduleModule, SchedulerRegistry } from '@nestjs/schedule';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { Column, Entity } from 'typeorm';
import {
  AbstractChunkedUpload,
  ChunkedUploadModule,
  type ChunkedUploadOptions,
  InvalidOptionError,
  UploadCleanup,
  UploadHealth,
} from '../../src/index.js';
import { ADAPTERS, startTestApp, type TestApp, type TestAppOptions } from '../support/test-app.js';

@Entity('video')
class VideoUpload extends AbstractChunkedUpload {
  @Column('int', { default: 0 })
  minutes: number;
}

const chunk = (origin: string, path = '/upload') =>
  fetch(`${origin}${path}?filename=a.txt`, {
    method: 'PUT',
    headers: { 'Content-Range': 'bytes 0-4/5' },
    body: 'hello',
  });

describe('The module', () => {
  let apps: TestApp[] = [];
  const start = async (options: TestAppOptions = {}) => {
    const app = await startTestApp(options);
    apps.push(app);
    return app;
  };

  afterEach(async () => {
    for (const app of apps) await app.close();
    apps = [];
  });

  it('refuses to boot when it does not know who may upload, and says what to write', async () => {
    await expect(start({ upload: { anonymous: false } })).rejects.toThrow(
      /guards: .*resolveUser: .*anonymous: true/s,
    );
  });

  const refused: [Partial<ChunkedUploadOptions>, RegExp][] = [
    [{ maxBytes: '2 apples' }, /maxBytes must be .*'5mb'.*"2 apples"/],
    [{ expiresIn: 'soon' }, /expiresIn must be .*'1d'/],
    [{ checksum: 'md6' as 'md5' }, /checksum must be one of md5, sha1/],
    [{ allowedMimeTypes: ['png'] }, /allowedMimeTypes must be like 'image\/png'/],
    [{ publicUrl: 'files.example.com' }, /publicUrl must be like/],
    [{ statusOverrides: { offset_mismatch: 200 } }, /statusOverrides.offset_mismatch/],
    [{ minBytes: 10, maxBytes: 5 }, /minBytes must not be above maxBytes/],
    [{ maxByte: 5 } as object, /There is no option maxByte/],
  ];
  it.each(refused)('refuses the options %j with a message that helps', async (upload, message) => {
    const refusal: unknown = await start({ upload }).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(InvalidOptionError);
    expect((refusal as Error).message).toMatch(message);
  });

  it('takes its settings from a factory, and its shape directly', async () => {
    @Injectable()
    class Config {
      readonly limit = '3b';
    }
    @Module({ providers: [Config], exports: [Config] })
    class ConfigModule {}
    const async = ChunkedUploadModule.forRootAsync({
      entity: VideoUpload,
      path: 'videos',
      cleanup: false,
      imports: [ConfigModule],
      inject: [Config],
      useFactory: async (config: Config) => Promise.resolve({ anonymous: true, maxBytes: config.limit }),
    });
    const app = await start({ imports: [async], entities: [VideoUpload] });
    const refused = await chunk(app.origin, '/videos');
    expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([400, 'too_large']);
    expect((await chunk(app.origin)).status).toBe(200);
  });

  it('records uploads in an entity of the app, with columns of its own', async () => {
    const app = await start({
      entities: [VideoUpload],
      upload: {
        entity: VideoUpload,
        path: 'videos',
        beforeCreate: () => ({ minutes: 7 }) as Partial<VideoUpload>,
      },
    });
    const created = await chunk(app.origin, '/videos');
    expect(created.status).toBe(200);
    const { id, url } = (await created.json()) as { id: string; url: string };
    expect(url).toBe(`${app.origin}/videos/${id}`);
    expect(await app.dataSource.getRepository(VideoUpload).findOneByOrFail({ id })).toMatchObject({
      offset: 5,
      minutes: 7,
    });
  });

  it('tells whether database and storage are up', async () => {
    const app = await start();
    expect(await app.app.get(UploadHealth).check()).toEqual({ database: 'up', storage: 'up' });
    await app.dataSource.query('DROP TABLE chunked_upload');
    expect((await chunk(app.origin)).status).toBe(500);
  });

  describe.each(ADAPTERS)('on %s', (adapter) => {
    it('describes its routes for OpenAPI', async () => {
      const { app } = await start({ adapter });
      const document = SwaggerModule.createDocument(app, new DocumentBuilder().build());
      expect(Object.keys(document.paths)).toEqual(['/upload', '/upload/{id}', '/upload/{id}/content']);
      expect(Object.keys(document.paths['/upload'] ?? {}).sort()).toEqual(['delete', 'get', 'post', 'put']);
      const { requestBody, parameters, responses } = document.paths['/upload']?.put ?? {};
      expect(Object.keys((requestBody as { content: object }).content)).toEqual([
        'application/octet-stream',
        'multipart/form-data',
      ]);
      expect(parameters).toContainEqual(expect.objectContaining({ name: 'Content-Range', in: 'header' }));
      expect(Object.keys(responses ?? {})).toEqual(
        expect.arrayContaining(['200', '400', '410', '423', '507']),
      );
    });
  });

  describe('cleans up by the clock', () => {
    const everySecond = { cleanup: '* * * * * *', expiresIn: 1 };

    const rowsGone = async (app: TestApp) => {
      for (let i = 0; i < 50; i++) {
        if ((await app.rows()).length === 0) return true;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      return false;
    };

    it('without a ScheduleModule', async () => {
      const app = await start({ upload: everySecond });
      await chunk(app.origin);
      expect(await rowsGone(app)).toBe(true);
      expect(await app.files()).toEqual([]);
    });

    it('with a ScheduleModule, once a tick, in its registry', async () => {
      const app = await start({ upload: everySecond, imports: [ScheduleModule.forRoot()] });
      expect([...app.app.get(SchedulerRegistry, { strict: false }).getCronJobs().keys()]).toEqual([
        'chunked-upload-cleanup:ChunkedUpload',
      ]);
      let runs = 0;
      const cleanup = app.app.get(UploadCleanup);
      const { run } = cleanup;
      cleanup.run = (options) => {
        runs++;
        return run.call(cleanup, options);
      };
      await new Promise((resolve) => setTimeout(resolve, 3000));
      expect(runs).toBeGreaterThanOrEqual(2);
      expect(runs).toBeLessThanOrEqual(4);
    });

    it('in one instance at a time', async () => {
      const first = await start();
      const second = await start({ upload: everySecond, database: first.database, root: first.root });
      const lock = first.dataSource.createQueryRunner();
      await lock.query(
        `SELECT pg_advisory_lock(hashtextextended('chunked-upload-cleanup:ChunkedUpload', 0))`,
      );
      await chunk(second.origin);
      await new Promise((resolve) => setTimeout(resolve, 2500));
      expect(await first.rows()).toHaveLength(1);
      await lock.query(`SELECT pg_advisory_unlock_all()`);
      await lock.release();
      expect(await rowsGone(first)).toBe(true);
      apps.reverse();
    });
  });
});
