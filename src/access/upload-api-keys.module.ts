import { type DynamicModule, Module } from '@nestjs/common';
import { getDataSourceToken, TypeOrmModule } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { API_KEY_OPTIONS, ApiKeyGuard, type ApiKeyOptions } from './api-key.guard.js';
import { ApiKeyService } from './api-key.service.js';
import { SIGNED_QUERY_OPTIONS, SignedQueryGuard, type SignedQueryOptions } from './signed-query.guard.js';
import { UploadApiKey } from './upload-api-key.entity.js';

/** Options of `UploadApiKeysModule.forRoot`. */
export interface UploadApiKeysOptions {
  /** Name of the TypeORM data source that has the table. @default the default data source */
  readonly dataSource?: string;
  /** Options of `guards: [ApiKeyGuard]`. @default {} */
  readonly apiKey?: ApiKeyOptions;
  /** Options of `guards: [SignedQueryGuard]`. @default {} */
  readonly signedQuery?: SignedQueryOptions;
}

/**
 * API keys in the table `chunked_upload_api_key`, and the guards that ask for them. Global, since Nest makes a guard in
 * the module of the controller it guards, which is `ChunkedUploadModule`. Its table comes from `uploadApiKeyMigrations`.
 *
 * @example
 * imports: [UploadApiKeysModule.forRoot(), ChunkedUploadModule.forRoot({ guards: [ApiKeyGuard] })]
 */
@Module({})
export class UploadApiKeysModule {
  /** Registers entity, service and guards. */
  static forRoot({ dataSource, apiKey = {}, signedQuery = {} }: UploadApiKeysOptions = {}): DynamicModule {
    const options = [
      { provide: API_KEY_OPTIONS, useValue: apiKey },
      { provide: SIGNED_QUERY_OPTIONS, useValue: signedQuery },
    ];
    const service = {
      provide: ApiKeyService,
      inject: [getDataSourceToken(dataSource)],
      useFactory: (source: DataSource) => new ApiKeyService(source),
    };
    const guards = [ApiKeyGuard, SignedQueryGuard];
    return {
      module: UploadApiKeysModule,
      global: true,
      imports: [TypeOrmModule.forFeature([UploadApiKey], dataSource)],
      providers: [...options, service, ...guards],
      exports: [...options.map(({ provide }) => provide), ApiKeyService, ...guards],
    };
  }
}
