import {
  ConfigurableModuleBuilder,
  type DynamicModule,
  Module,
  type Provider,
  type Type,
} from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { getDataSourceToken, TypeOrmModule } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { CleanupScheduler } from './cleanup/cleanup.scheduler.js';
import { UploadCleanup } from './cleanup/upload-cleanup.js';
import { UploadSweep } from './cleanup/upload-sweep.js';
import { createUploadType } from './create-upload-type.js';
import type { AbstractChunkedUpload } from './persistence/abstract-chunked-upload.entity.js';
import { ChunkedUpload } from './persistence/chunked-upload.entity.js';
import { UploadRoutes } from './protocols/http/upload-routes.js';
import { createRestController } from './protocols/rest/create-rest-controller.js';
import { UploadHealth } from './upload-health.js';
import { UploadLifecycle } from './upload-lifecycle.js';
import type {
  ChunkedUploadAsyncOptions,
  ChunkedUploadOptions,
  UploadSettings,
  UploadShape,
} from './upload-options.js';
import { getUploadTypeToken, UPLOAD_TYPES } from './upload-tokens.js';
import type { UploadType } from './upload-type.js';

/** Shaping options with their defaults; what is not among these keys is a setting. */
const DEFAULT_SHAPE = {
  entity: ChunkedUpload as Type<AbstractChunkedUpload>,
  path: 'upload',
  version: undefined as UploadShape['version'],
  guards: [] as NonNullable<UploadShape['guards']>,
  decorators: [] as NonNullable<UploadShape['decorators']>,
  dataSource: undefined as string | undefined,
  cleanup: '*/10 * * * *' as string | false,
  isGlobal: false,
};

type Shape = typeof DEFAULT_SHAPE;

const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } = new ConfigurableModuleBuilder<UploadSettings>({
  moduleName: 'ChunkedUpload',
})
  .setClassMethodName('forRoot')
  .setExtras<Shape>(DEFAULT_SHAPE, shapeModule)
  .build();

/**
 * Resumable, chunked uploads: an entity, a REST endpoint and the cleanup behind them.
 *
 * @example
 * ChunkedUploadModule.forRoot({ guards: [JwtGuard], maxBytes: '2gb' })
 */
@Module({})
export class ChunkedUploadModule extends ConfigurableModuleClass {
  /** Registers uploads with options known now. */
  static override forRoot<Entity extends AbstractChunkedUpload>(
    options: ChunkedUploadOptions<Entity>,
  ): DynamicModule {
    return super.forRoot(options as unknown as Parameters<typeof ConfigurableModuleClass.forRoot>[0]);
  }

  /** Registers uploads whose settings come from a factory; what shapes the module is given directly. */
  static override forRootAsync<Entity extends AbstractChunkedUpload>(
    options: ChunkedUploadAsyncOptions<Entity>,
  ): DynamicModule {
    return super.forRootAsync(
      options as unknown as Parameters<typeof ConfigurableModuleClass.forRootAsync>[0],
    );
  }
}

function shapeModule(definition: DynamicModule, shape: Shape): DynamicModule {
  const { entity, dataSource, path } = shape;
  const typeToken = getUploadTypeToken(entity);
  const exported = [UploadCleanup, UploadSweep, UploadHealth, typeToken];
  return {
    ...definition,
    global: shape.isGlobal,
    imports: [...(definition.imports ?? []), TypeOrmModule.forFeature([entity], dataSource)],
    controllers: [createRestController(shape, entity.name, typeToken)],
    providers: [
      ...(definition.providers ?? []),
      UploadRoutes,
      {
        provide: typeToken,
        inject: [MODULE_OPTIONS_TOKEN, getDataSourceToken(dataSource), UploadRoutes],
        useFactory: (settings: UploadSettings, source: DataSource, routes: UploadRoutes) => {
          routes.add(path);
          return createUploadType(entity, shape, settings, source);
        },
      },
      { provide: UPLOAD_TYPES, inject: [typeToken], useFactory: (type: UploadType) => [type] },
      ...onAllTypes([UploadCleanup, UploadSweep, UploadHealth, UploadLifecycle]),
      cleanupProvider(shape),
    ],
    exports: exported,
  };
}

/** Providers that are made of the module's upload types and nothing else. */
function onAllTypes(classes: readonly Type<object>[]): Provider[] {
  return classes.map((provide) => ({
    provide,
    inject: [UPLOAD_TYPES],
    useFactory: (types: readonly UploadType[]) => new provide(types),
  }));
}

function cleanupProvider({ cleanup: cron, entity, dataSource }: Shape): Provider {
  return {
    provide: CleanupScheduler,
    inject: [UploadCleanup, getDataSourceToken(dataSource), ModuleRef],
    useFactory: (cleanup: UploadCleanup, source: DataSource, moduleRef: ModuleRef) =>
      new CleanupScheduler({ cron, name: entity.name }, cleanup, source, moduleRef),
  };
}
