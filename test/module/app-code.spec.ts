import { afterEach, describe, expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { randomBytes, randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { createReadStream } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import {
  AbstractChunkedUpload,
  ChunkedUpload,
  ChunkedUploadModule,
  FormPostUploadsController,
  getUploadsToken,
  RestUploadsController,
  type UploadDraft,
  type UploadFeature,
  type UploadsService,
  UploadType,
} from '../../src/index.js';
import { call, chunkHeaders, complete, md5, put } from '../engine/support/client.js';
import { file, form, type Part, UploadClient } from '../support/http.js';
import { ADAPTERS, startTestApp, type TestApp, type TestAppOptions } from '../support/test-app.js';

/** A column that must not be null, and may have a value once. */
@Entity('badge')
class BadgeUpload extends AbstractChunkedUpload {
  @Column('text', { unique: true })
  label: string;
}

@Entity('album')
class Album {
  @PrimaryColumn()
  id: number;
}

@Injectable()
class Audit {
  readonly seen: string[] = [];
}

@Injectable()
class AuditedRest extends RestUploadsController {
  constructor(
    type: UploadType,
    host: HttpAdapterHost,
    readonly audit: Audit,
  ) {
    super(type, host);
  }

  override async createByChunk(...parameters: Parameters<RestUploadsController['createByChunk']>) {
    const body = await super.createByChunk(...parameters);
    this.audit.seen.push(`rest ${body.offset}`);
    return body;
  }
}

@Injectable()
class AuditedForms extends FormPostUploadsController {
  constructor(
    type: UploadType,
    host: HttpAdapterHost,
    readonly audit: Audit,
  ) {
    super(type, host);
  }

  override async chunk(request: unknown, response: unknown): Promise<unknown> {
    this.audit.seen.push('form');
    return super.chunk(request, response);
  }
}

/** What TypeScript tells nobody about: no decorator. */
class Undecorated extends RestUploadsController {
  constructor(
    type: UploadType,
    host: HttpAdapterHost,
    readonly audit: Audit,
  ) {
    super(type, host);
  }
}

const bytes = Buffer.from('hello');

describe.each(ADAPTERS)('The app’s own code, on %s', (adapter) => {
  let apps: TestApp[] = [];
  const start = async (options: TestAppOptions = {}) => {
    const app = await startTestApp({ adapter, ...options });
    apps.push(app);
    return app;
  };
  const startBadges = (feature: Partial<UploadFeature<BadgeUpload>>) => {
    const badges = { entity: BadgeUpload, path: 'badges', ...feature };
    return start({ entities: [BadgeUpload], imports: [ChunkedUploadModule.forFeature([badges])] });
  };
  const serviceOf = (app: TestApp): UploadsService =>
    app.app.get(getUploadsToken(ChunkedUpload), { strict: false });

  afterEach(async () => {
    for (const app of apps) await app.close();
    apps = [];
  });

  it('sets columns that must not be null, for forms as for raw bodies', async () => {
    const drafts: UploadDraft[] = [];
    const app = await startBadges({
      beforeCreate: (draft) => {
        drafts.push(draft);
        return { label: `${draft.filename} ${drafts.length}` };
      },
    });
    const client = new UploadClient(`${app.origin}/badges`);
    expect((await put(app, bytes, { path: '/badges' })).status).toBe(200);
    const infront = form({ name: 'filename', value: 'a.txt' }, file('hello'));
    const behind = form(file('hello'), { name: 'filename', value: 'b.txt' });
    for (const sent of [infront, behind]) {
      const created = await client.send('', {
        method: 'POST',
        ...sent,
        headers: { ...sent.headers, 'Content-Range': 'bytes 0-4/9' },
      });
      expect([created.status, created.json.offset]).toEqual([200, 5]);
    }
    const labels = await app.dataSource.query<{ label: string }[]>(
      'SELECT label FROM badge ORDER BY created_at',
    );
    expect(drafts.map(({ filename }) => filename)).toEqual(['unnamed', 'a.txt', 'a.bin', 'b.txt']);
    expect(labels.map(({ label }) => label)).toEqual(['unnamed 1', 'a.txt 2', 'b.txt 4']);
  });

  it('says which value is taken, for forms as for raw bodies, and leaves nothing', async () => {
    const app = await startBadges({ beforeCreate: ({ filename }) => ({ label: filename.slice(0, 1) }) });
    const client = new UploadClient(`${app.origin}/badges`);
    const send = (...parts: Part[]) => client.send('', { method: 'POST', ...form(...parts) });
    const sum = { name: 'md5', value: md5(bytes) };
    expect((await send({ name: 'filename', value: 'a1' }, sum, file('hello'))).status).toBe(200);
    for (const parts of [
      [{ name: 'filename', value: 'a2' }, sum, file('hello')],
      [file('hello'), { name: 'filename', value: 'a3' }, sum],
    ]) {
      const refused = await send(...parts);
      expect([refused.status, refused.json.code]).toEqual([400, 'refused']);
    }
    expect((await app.files()).length).toBe(1);
  });

  it('refuses a reference to what is not there', async () => {
    const app = await startBadges({ beforeCreate: ({ filename }) => ({ label: filename }) });
    await app.dataSource.query('CREATE TABLE labels (label text PRIMARY KEY)');
    await app.dataSource.query('ALTER TABLE badge ADD FOREIGN KEY (label) REFERENCES labels');
    const refused = await put(app, bytes, { path: '/badges' });
    expect([refused.status, refused.body.code]).toEqual([400, 'refused']);
    expect([await app.files(), await app.dataSource.query('SELECT * FROM badge')]).toEqual([[], []]);
  });

  it('has what it asks for injected into controllers of its own', async () => {
    const app = await start({
      upload: {
        doors: ['rest', 'form-post'],
        controller: AuditedRest,
        formPostController: AuditedForms,
      },
      imports: [{ module: class AuditModule {}, global: true, providers: [Audit], exports: [Audit] }],
    });
    const { seen } = app.app.get(Audit, { strict: false });
    const created = await put(app, bytes);
    expect((await complete(app, `/upload/${String(created.body.id)}`, bytes)).status).toBe(200);
    const client = new UploadClient(`${app.origin}/chunked_upload`);
    const chunk = await client.send('', { method: 'POST', ...form(file('hello')) });
    const done = form(
      { name: 'upload_id', value: String(chunk.json.upload_id) },
      { name: 'md5', value: md5(bytes) },
    );
    expect((await client.send('_complete', { method: 'POST', ...done })).status).toBe(200);
    expect((await client.send('', { method: 'PATCH' })).status).toBe(405);
    expect(seen).toEqual(['rest 5', 'form']);
    await expect(start({ upload: { controller: Undecorated } })).rejects.toThrow(
      'Decorate Undecorated with @Injectable()',
    );
  });

  it('stores files whatever is asked of clients, and tells what is wrong with their source', async () => {
    const upload = { maxOpenUploads: 1, maxOpenBytes: 5, idleTimeout: 50, resolveUser: () => 'ann' };
    const app = await start({ upload });
    const uploads = serviceOf(app);
    expect((await put(app, bytes, { total: 5 })).status).toBe(200);
    expect((await put(app, bytes, { total: 5 })).status).toBe(429);
    async function* slow() {
      yield Buffer.from('a');
      await sleep(300);
      yield Buffer.from('slow report');
    }
    const stored = await uploads.create(slow(), { filename: 'r.txt', userId: 'ann' });
    expect(stored).toMatchObject({ status: 'complete', size: 12 });
    const missing = createReadStream('/nowhere/report');
    await expect(uploads.create(missing, { filename: 'r.txt' })).rejects.toMatchObject({ code: 'ENOENT' });
    const refused = createReadStream('package.json');
    const owner = { type: 'nothing', id: '1' };
    await expect(uploads.create(refused, { filename: 'r.txt', owner })).rejects.toMatchObject({
      code: 'owner_not_allowed',
    });
    expect(refused.destroyed).toBe(true);
    expect((await app.rows()).length).toBe(2);
  });

  it('gives buffers that it keeps', async () => {
    const app = await start();
    const kept = randomBytes(3_000_000);
    const copy = Buffer.from(kept);
    const { id } = await serviceOf(app).create(Readable.from([kept]), { filename: 'a.bin' });
    expect(kept.equals(copy)).toBe(true);
    const stored = (await (await serviceOf(app).read(id)).toArray()) as Buffer[];
    expect(Buffer.concat(stored).equals(copy)).toBe(true);
  });

  it('gives any text as an id, and hears that there is no such upload', async () => {
    const app = await start();
    const uploads = serviceOf(app);
    const { id } = await uploads.create(bytes, { filename: 'a.txt' });
    expect(await uploads.find(id.replaceAll('-', '').toUpperCase())).toMatchObject({ id });
    for (const wrong of ['abc', '', "' OR 1=1", '..%2f', randomUUID()]) {
      expect(await uploads.find(wrong)).toBeNull();
      for (const attempt of [
        () => uploads.read(wrong),
        () => uploads.attach(wrong, null),
        () => uploads.moveTo(wrong, '/nowhere'),
        () => uploads.delete(wrong),
      ]) {
        await expect(attempt()).rejects.toMatchObject({ code: 'not_found' });
      }
    }
  });

  it('deletes all of a domain object, expired uploads too, whoever deletes beside it', async () => {
    const owner = { type: 'album', id: '7' };
    const app = await start({ upload: { owners: { album: { entity: Album } } }, entities: [Album] });
    await app.dataSource.getRepository(Album).save({ id: 7 });
    const uploads = serviceOf(app);
    for (let count = 0; count < 4; count++) await uploads.create(bytes, { filename: 'a.txt', owner });
    const unfinished = await call(app, '/upload?owner_type=album&owner_id=7', {
      method: 'PUT',
      headers: chunkHeaders(0, 5, 9),
      body: bytes,
    });
    expect(unfinished.status).toBe(200);
    await app.dataSource.query(`UPDATE chunked_upload SET expires_at = now() - interval '1 minute'`);
    const [one, other] = await Promise.all([uploads.deleteByOwner(owner), uploads.deleteByOwner(owner)]);
    expect(one + other).toBeGreaterThanOrEqual(5);
    expect([await app.rows(), await app.files()]).toEqual([[], []]);
  });
});
