import { join } from 'node:path';
import { type DynamicModule, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { ChunkedUploadModule } from '../chunked-upload.module.js';
import { LocalStorage } from '../storage/local/local.driver.js';
import type { ChunkedUploadOptions } from '../upload-options.js';
import { ChunkedUploadUiModule } from '../upload-ui.module.js';
import { accessParts, adminParts } from './access.js';
import type { ServerEnvironment } from './environment.js';
import { HealthController } from './health.controller.js';

/** Connections to PostgreSQL. A chunk uses one for two short statements, none while its bytes arrive. */
const POOL_SIZE = 10;

/** The reference server: the module as an app uses it, configured by the environment. */
@Module({})
export class AppModule {
  static register(environment: ServerEnvironment, databaseUrl: string): DynamicModule {
    const { imports, options } = accessParts(environment.access);
    return {
      module: AppModule,
      imports: [
        TypeOrmModule.forRoot({
          type: 'postgres',
          url: databaseUrl,
          autoLoadEntities: true,
          retryAttempts: 0,
          poolSize: POOL_SIZE,
          // A request rather hears "unavailable" than waits for a database that is away.
          extra: { connectionTimeoutMillis: 5_000 },
        }),
        ...imports,
        ChunkedUploadModule.forRoot({ ...uploadOptions(environment), ...options }),
        ...adminParts(environment.admin),
        // The page speaks REST.
        ...(environment.doors.includes('rest') ? [ChunkedUploadUiModule.forRoot()] : []),
      ],
      controllers: [HealthController],
    };
  }
}

function uploadOptions({ doors, upload, dataDirectory }: ServerEnvironment): ChunkedUploadOptions {
  return {
    ...upload,
    doors,
    storage: new LocalStorage({ root: join(dataDirectory, 'uploads') }),
  };
}
