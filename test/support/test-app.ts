import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type DynamicModule,
  type INestApplication,
  Module,
  type NestApplicationOptions,
  type Type,
} from '@nestjs/common';
import { type AbstractHttpAdapter, NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import {
  ChunkedUpload,
  type ChunkedUploadOptions,
  ChunkedUploadModule,
  chunkedUploadMigrations,
  getUploadTypeToken,
  LocalStorage,
  type UploadType,
} from '../../src/index.js';

/** The frameworks that everything is tested on. */
export const ADAPTERS = ['express', 'fastify'] as const;
export type AdapterName = (typeof ADAPTERS)[number];

export interface TestAppOptions {
  readonly adapter?: AdapterName;
  /** Options of the module; anonymous, on local storage in a folder of its own, without cron, unless they say otherwise. */
  readonly upload?: Partial<ChunkedUploadOptions>;
  /** Database of an app that is still there, for a second instance. */
  readonly database?: TestDatabase;
  /** Folder of an app that is still there. */
  readonly root?: string;
  readonly imports?: (Type<object> | DynamicModule)[];
  readonly entities?: Type<object>[];
  readonly nest?: NestApplicationOptions;
  /** Before `listen`: prefixes, versioning, pipes. */
  readonly configure?: (app: INestApplication) => void;
}

/** A database of its own on the test server. */
export interface TestDatabase {
  readonly url: string;
  drop(): Promise<void>;
}

/** A real app: HTTP on a free port, a database and a folder of its own. */
export interface TestApp {
  readonly app: INestApplication;
  /** `http://127.0.0.1:<port>` */
  readonly origin: string;
  readonly root: string;
  readonly database: TestDatabase;
  readonly dataSource: DataSource;
  readonly type: UploadType;
  /** Rows of `chunked_upload`, as the database has them. */
  rows(): Promise<Record<string, unknown>[]>;
  /** Files of uploads under the root, relative, sorted. */
  files(): Promise<string[]>;
  /** Closes the app, and drops database and folder unless they were given. */
  close(): Promise<void>;
}

/** Creates a database and runs the migrations in it. */
export async function createDatabase(): Promise<TestDatabase> {
  const adminUrl = process.env.TEST_DATABASE_URL;
  if (!adminUrl) throw new Error('TEST_DATABASE_URL is not set: run the tests with `npm test`.');
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await execute(adminUrl, `CREATE DATABASE "${name}"`);
  const url = new URL(adminUrl);
  url.pathname = `/${name}`;
  const source = new DataSource({
    type: 'postgres',
    url: url.href,
    entities: [ChunkedUpload],
    migrations: chunkedUploadMigrations,
  });
  await source.initialize();
  await source.runMigrations();
  await source.destroy();
  return { url: url.href, drop: () => execute(adminUrl, `DROP DATABASE "${name}" WITH (FORCE)`) };
}

async function execute(url: string, sql: string): Promise<void> {
  const source = new DataSource({ type: 'postgres', url });
  await source.initialize();
  try {
    await source.query(sql);
  } finally {
    await source.destroy();
  }
}

function appModule(options: TestAppOptions, database: TestDatabase, root: string): Type<object> {
  @Module({
    imports: [
      TypeOrmModule.forRoot({
        type: 'postgres',
        url: database.url,
        autoLoadEntities: true,
        entities: [...(options.entities ?? [])],
        retryAttempts: 0,
        synchronize: (options.entities ?? []).length > 0,
      }),
      ChunkedUploadModule.forRoot({
        anonymous: true,
        cleanup: false,
        storage: new LocalStorage({ root }),
        ...options.upload,
      }),
      ...(options.imports ?? []),
    ],
  })
  class TestModule {}
  return TestModule;
}

/** Starts a real app. Close it in `afterAll` or at the end of the test. */
export async function startTestApp(options: TestAppOptions = {}): Promise<TestApp> {
  const database = options.database ?? (await createDatabase());
  const root = options.root ?? (await mkdtemp(join(tmpdir(), 'chunked-upload-')));
  const adapter: AbstractHttpAdapter =
    options.adapter === 'fastify' ? new FastifyAdapter() : new ExpressAdapter();
  const app = await NestFactory.create(appModule(options, database, root), adapter, {
    logger: false,
    abortOnError: false,
    ...options.nest,
  });
  options.configure?.(app);
  await app.listen(0, '127.0.0.1');
  const { port } = (app.getHttpServer() as { address(): AddressInfo }).address();
  const dataSource = app.get(DataSource);
  return {
    app,
    origin: `http://127.0.0.1:${port}`,
    root,
    database,
    dataSource,
    get type() {
      return app.get<UploadType>(getUploadTypeToken(options.upload?.entity || ChunkedUpload), {
        strict: false,
      });
    },
    rows: () => dataSource.query('SELECT * FROM chunked_upload ORDER BY created_at'),
    files: () => filesUnder(root),
    close: async () => {
      await app.close();
      if (!options.database) await database.drop();
      if (!options.root) await rm(root, { recursive: true, force: true });
    },
  };
}

/** Every file under a storage root but the volume's marker. */
export async function filesUnder(root: string): Promise<string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && entry.name !== '.volume')
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .sort();
}
