import { afterEach, describe, expect, it } from '@jest/globals';
import { type CanActivate, type ExecutionContext, Injectable, Module } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Column, Entity, JoinColumn, ManyToOne, PrimaryGeneratedColumn } from 'typeorm';
import {
  AbstractChunkedUpload,
  ChunkedUploadModule,
  InjectUploads,
  LocalStorage,
  UploadCleanup,
  uploadBase,
  type UploadFeature,
  UploadsService,
} from '../../src/index.js';
import { call, chunkHeaders, md5, put } from '../engine/support/client.js';
import {
  ADAPTERS,
  filesUnder,
  startTestApp,
  type TestApp,
  type TestAppOptions,
} from '../support/test-app.js';

@Entity('avatar')
class AvatarUpload extends AbstractChunkedUpload {
  @Column('text', { nullable: true })
  crop: string | null;
}

@Entity('person')
class Person {
  @PrimaryGeneratedColumn()
  id: number;

  // Columns that uploads have too, for statements that see both tables.
  @Column('text', { default: 'nobody' })
  owner_id: string;

  @Column('text', { default: 'here' })
  status: string;
}

@Entity('film')
class FilmUpload extends uploadBase({ name: 'producer_id', type: 'int', nullable: false }) {
  @ManyToOne(() => Person)
  @JoinColumn({ name: 'producer_id' })
  producer: Person;
}

/** Signs in whom the header names; anybody else is refused. */
@Injectable()
class HeaderGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<{ headers: Record<string, string>; user?: object }>();
    const { user } = request.headers;
    if (!user) return false;
    request.user = { id: user };
    return true;
  }
}

@Injectable()
class Albums {
  constructor(@InjectUploads(AvatarUpload) readonly avatars: UploadsService<AvatarUpload>) {}
}

const bytes = Buffer.from('hello');

describe.each(ADAPTERS)('Upload types by forFeature, on %s', (adapter) => {
  let apps: TestApp[] = [];
  let folders: string[] = [];
  const start = async <const Entities extends readonly AbstractChunkedUpload[]>(
    features: { readonly [Index in keyof Entities]: UploadFeature<Entities[Index]> },
    options: TestAppOptions = {},
  ) => {
    const feature = ChunkedUploadModule.forFeature(features);
    @Module({ imports: [feature], providers: features.length > 0 ? [Albums] : [], exports: [] })
    class PeopleModule {}
    const app = await startTestApp({
      adapter,
      entities: [AvatarUpload, FilmUpload, Person],
      imports: [PeopleModule],
      ...options,
    });
    apps.push(app);
    return app;
  };
  const folder = async () => {
    const path = await mkdtemp(join(tmpdir(), 'feature-'));
    folders.push(path);
    return path;
  };
  const as = (user: string) => ({ headers: { user } });

  afterEach(async () => {
    for (const app of apps) await app.close();
    for (const path of folders) await rm(path, { recursive: true, force: true });
    apps = [];
    folders = [];
  });

  it('stand side by side, each with a table, a route, limits, guards, a storage and hooks of its own', async () => {
    const root = await folder();
    const app = await start([
      {
        entity: AvatarUpload,
        path: 'avatars',
        maxBytes: 5,
        storage: new LocalStorage({ root }),
        folder: 'avatars/%Y',
        beforeCreate: () => ({ crop: 'square' }),
        onComplete: ({ crop }) => ({ crop }),
      },
      { entity: FilmUpload, path: 'films', guards: [HeaderGuard], anonymous: false, minBytes: 4 },
    ]);
    const avatar = await put(app, bytes, { path: '/avatars' });
    expect([avatar.status, avatar.body.url]).toEqual([
      200,
      `${app.origin}/avatars/${String(avatar.body.id)}`,
    ]);
    expect(await filesUnder(root)).toEqual([
      `avatars/${new Date().getUTCFullYear()}/${String(avatar.body.id)}.part`,
    ]);
    expect(await app.files()).toEqual([]);
    const done = await call(app, `/avatars/${String(avatar.body.id)}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ md5: md5(bytes) }),
    });
    expect([done.status, done.body]).toEqual([200, { crop: 'square' }]);
    const large = await put(app, Buffer.from('hello!'), { path: '/avatars' });
    expect([large.status, large.body.code]).toEqual([400, 'too_large']);

    expect((await put(app, bytes, { path: '/films' })).status).toBe(403);
    await app.dataSource.query('INSERT INTO person (id) VALUES (7), (8)');
    const film = await put(app, bytes, { path: '/films', ...as('7') });
    expect([film.status, film.body.user_id]).toEqual([200, '7']);
    expect((await put(app, Buffer.from('hey'), { path: '/films', ...as('7') })).body.code).toBe('too_small');
    expect((await call(app, `/films/${String(film.body.id)}`, as('8'))).status).toBe(404);
    expect((await call(app, `/films/${String(film.body.id)}`, as('7'))).status).toBe(200);
    expect(((await call(app, '/films', as('7'))).body.items as unknown[]).length).toBe(1);
    expect(((await call(app, '/films', as('8'))).body.items as unknown[]).length).toBe(0);
    expect(await app.dataSource.query('SELECT producer_id FROM film')).toEqual([{ producer_id: 7 }]);

    expect((await put(app, Buffer.from('anything'))).status).toBe(200);
    expect((await call(app, `/upload/${String(film.body.id)}`)).status).toBe(404);
    const document = SwaggerModule.createDocument(app.app, new DocumentBuilder().build());
    expect(Object.keys(document.paths).sort()).toEqual(
      ['avatars', 'films', 'upload'].flatMap((path) => [
        `/${path}`,
        `/${path}/{id}`,
        `/${path}/{id}/content`,
      ]),
    );
  });

  it('have from forRoot what they do not say, but for hooks and owners', async () => {
    const app = await start([{ entity: AvatarUpload, path: 'avatars' }], {
      upload: { maxBytes: 3, beforeCreate: () => ({ metadata: { by: 'root' } }) },
    });
    expect((await put(app, bytes, { path: '/avatars' })).body.code).toBe('too_large');
    const small = await put(app, Buffer.from('hey'), { path: '/avatars' });
    expect([small.status, small.body.metadata]).toEqual([200, {}]);
    expect((await app.files()).length).toBe(1);
  });

  it('take settings from a factory', async () => {
    const app = await start([
      { entity: AvatarUpload, path: 'avatars', useFactory: async () => Promise.resolve({ maxBytes: 2 }) },
    ]);
    expect((await put(app, bytes, { path: '/avatars' })).body.code).toBe('too_large');
  });

  it('refuse to boot unguarded beside a guarded forRoot, twice, without forRoot, or on the same path', async () => {
    const guarded = { upload: { guards: [HeaderGuard], anonymous: false } };
    const feature = { entity: AvatarUpload, path: 'avatars' };
    await expect(start([feature], guarded)).rejects.toThrow(/AvatarUpload.*guards: \[YourAuthGuard\]/s);
    await expect(start([feature, { ...feature, path: 'b' }])).rejects.toThrow(/two upload types/);
    const elsewhere = ChunkedUploadModule.forFeature([{ ...feature, path: 'b' }]);
    await expect(
      start([feature], { imports: [elsewhere, ChunkedUploadModule.forFeature([feature])] }),
    ).rejects.toThrow(/two upload types/);
    await expect(start([{ ...feature, path: 'upload/' }])).rejects.toThrow(/same route/);
    await expect(start([{ ...feature, maxByte: 5 } as typeof feature])).rejects.toThrow(/no option maxByte/);
  });

  it('may be all there is', async () => {
    const app = await start([{ entity: AvatarUpload, path: 'avatars' }], { upload: { entity: false } });
    expect((await put(app, bytes, { path: '/avatars' })).status).toBe(200);
    expect((await put(app, bytes)).status).toBe(404);
    expect(() => app.type).toThrow();
  });

  it('are cleaned with the others, or chosen', async () => {
    const app = await start([{ entity: AvatarUpload, path: 'avatars', expiresIn: 1 }], {
      upload: { expiresIn: 1 },
    });
    await put(app, bytes, { path: '/avatars', total: 6 });
    await put(app, bytes, { total: 6 });
    const cleanup = app.app.get(UploadCleanup, { strict: false });
    expect(await cleanup.run({ types: ['AvatarUpload'] })).toMatchObject({
      rows: 1,
      types: { AvatarUpload: { rows: 1 } },
    });
    expect(await cleanup.run()).toMatchObject({
      rows: 1,
      types: { ChunkedUpload: { rows: 1 }, AvatarUpload: { rows: 0 } },
    });
  });

  it('give the app a service that stores, finds, attaches, reads, moves and deletes', async () => {
    const app = await start([
      {
        entity: AvatarUpload,
        path: 'avatars',
        owners: { person: { entity: Person, authorize: () => false } },
      },
    ]);
    const people = app.dataSource.getRepository(Person);
    const { id } = await people.save(people.create());
    const owner = { type: 'person', id: String(id) };
    const { avatars } = app.app.get(Albums, { strict: false });
    const told: string[] = [];
    avatars.on('completed', (upload) => void told.push(upload.filename));

    async function* source() {
      yield Promise.resolve(new Uint8Array([104, 101]));
      yield Buffer.from('llo');
    }
    const stored = await avatars.create(source(), {
      filename: 'a.txt',
      userId: 'ann',
      columns: { crop: 'round' },
    });
    expect(stored).toMatchObject({
      status: 'complete',
      offset: 5,
      crop: 'round',
      userId: 'ann',
      checksums: { md5: md5(bytes) },
    });
    expect(Buffer.concat((await (await avatars.read(stored.id)).toArray()) as Buffer[])).toEqual(bytes);
    expect((await (await avatars.read(stored.id, { start: 1, end: 3 })).toArray()).join('')).toBe('el');
    await expect(avatars.attach(stored.id, { type: 'person', id: '999' })).rejects.toMatchObject({
      code: 'owner_not_allowed',
    });
    await expect(avatars.attach(stored.id, { type: 'house', id: '1' })).rejects.toMatchObject({
      code: 'owner_not_allowed',
    });
    expect(await avatars.attach(stored.id, owner)).toMatchObject({ ownerType: 'person', ownerId: owner.id });
    const second = await avatars.create(bytes, { filename: 'b.txt', owner });
    expect((await avatars.findByOwner(owner)).map((upload) => upload.id)).toEqual([second.id, stored.id]);
    expect(told).toEqual(['a.txt', 'b.txt']);

    const target = join(await folder(), 'final.txt');
    await avatars.moveTo(stored.id, target);
    expect(await filesUnder(join(target, '..'))).toEqual(['final.txt']);
    expect(await avatars.find(stored.id)).toBeNull();
    await expect(avatars.moveTo(second.id, target)).rejects.toMatchObject({ code: 'EEXIST' });
    expect(await avatars.find(second.id)).toMatchObject({ status: 'complete' });
    expect(await avatars.deleteByOwner(owner)).toBe(1);
    expect(await app.files()).toEqual([]);
    await expect(avatars.delete(second.id)).rejects.toMatchObject({ code: 'not_found' });
    async function* broken() {
      yield Promise.resolve(bytes);
      throw new Error('the source broke');
    }
    await expect(avatars.create(broken(), { filename: 'c.txt' })).rejects.toThrow();
    expect([await avatars.list(), await app.files()]).toEqual([[], []]);
  });

  it('say what is wrong when a column that may have a value once has it already', async () => {
    const app = await start([
      { entity: AvatarUpload, path: 'avatars', beforeCreate: () => ({ crop: 'square' }) },
    ]);
    await app.dataSource.query('CREATE UNIQUE INDEX ON avatar (crop)');
    expect((await put(app, bytes, { path: '/avatars' })).status).toBe(200);
    for (const headers of [{}, { 'idempotency-key': 'again' }] as Record<string, string>[]) {
      const second = await put(app, bytes, { path: '/avatars', headers });
      expect([second.status, second.body.code]).toEqual([400, 'refused']);
    }
    expect((await app.files()).length).toBe(1);
  });

  it('lose their uploads with the owner, where that is the policy', async () => {
    let producer = '';
    const owners = (onDelete: 'keep' | 'delete') => ({ person: { entity: Person, onDelete } });
    const app = await start([
      { entity: AvatarUpload, path: 'avatars', owners: owners('delete') },
      { entity: FilmUpload, path: 'films', resolveUser: () => producer, owners: owners('keep') },
    ]);
    const people = app.dataSource.getRepository(Person);
    const [gone, stays] = await people.save([people.create(), people.create()]);
    producer = String((stays as Person).id);
    for (const { id } of [gone, stays] as Person[]) {
      for (const path of ['avatars', 'films']) {
        const query = `/${path}?owner_type=person&owner_id=${id}`;
        expect(
          (await call(app, query, { method: 'PUT', headers: chunkHeaders(0, 5, 9), body: bytes })).status,
        ).toBe(200);
      }
    }
    await people.delete((gone as Person).id);
    const cleanup = app.app.get(UploadCleanup, { strict: false });
    expect(await cleanup.run({ dryRun: true })).toMatchObject({ rows: 1 });
    expect(await cleanup.run()).toMatchObject({
      rows: 1,
      types: { AvatarUpload: { rows: 1 }, FilmUpload: { rows: 0 } },
    });
    expect(await app.dataSource.query('SELECT owner_id FROM avatar')).toEqual([
      { owner_id: String((stays as Person).id) },
    ]);
    expect((await app.files()).length).toBe(3);
  });
});
