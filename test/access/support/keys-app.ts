import { DataSource } from 'typeorm';
import { uploadApiKeyMigrations } from '../../../migrations/index.js';
import { ApiKeyService } from '../../../src/access/api-key.service.js';
import { UploadApiKey } from '../../../src/access/upload-api-key.entity.js';
import {
  UploadApiKeysModule,
  type UploadApiKeysOptions,
} from '../../../src/access/upload-api-keys.module.js';
import type { ChunkedUploadOptions } from '../../../src/index.js';
import {
  type AdapterName,
  createDatabase,
  startTestApp,
  type TestApp,
  type TestDatabase,
} from '../../support/test-app.js';

/** An app with API keys. */
export interface KeysApp extends TestApp {
  readonly keys: ApiKeyService;
}

export interface KeysAppOptions {
  readonly adapter: AdapterName;
  readonly upload: Partial<ChunkedUploadOptions>;
  readonly module?: UploadApiKeysOptions;
  readonly prefix?: string;
}

/** A database with the tables of uploads and of API keys. */
export async function createKeysDatabase(): Promise<TestDatabase> {
  const database = await createDatabase();
  const source = keysDataSource(database);
  await source.initialize();
  await source.runMigrations();
  await source.destroy();
  return database;
}

/** A data source, not yet initialized, that knows API keys and their migrations. */
export function keysDataSource({ url }: TestDatabase): DataSource {
  const options = { entities: [UploadApiKey], migrations: uploadApiKeyMigrations };
  return new DataSource({ type: 'postgres', url, ...options, migrationsTableName: 'api_key_migrations' });
}

/** Starts a real app whose guards know API keys; `anonymous` is off. */
export async function startKeysApp({ adapter, upload, module, prefix }: KeysAppOptions): Promise<KeysApp> {
  const database = await createKeysDatabase();
  const app = await startTestApp({
    adapter,
    database,
    upload: { anonymous: false, ...upload },
    imports: [UploadApiKeysModule.forRoot(module)],
    configure: (nest) => prefix !== undefined && nest.setGlobalPrefix(prefix),
  });
  const close = async () => {
    await app.close();
    await database.drop();
  };
  return { ...app, keys: app.app.get(ApiKeyService), close };
}
