import { ConfigurableModuleBuilder, type DynamicModule, Module, type Type } from '@nestjs/common';
import { InvalidOptionError } from './option-values.js';
import type { AbstractChunkedUpload } from './persistence/abstract-chunked-upload.entity.js';
import { ChunkedUpload } from './persistence/chunked-upload.entity.js';
import type { FormPostUploadsController } from './protocols/form-post/form-post.controller.js';
import type { RestUploadsController } from './protocols/rest/rest.controller.js';
import { UploadCoreModule } from './upload-core.module.js';
import { inheritSettings } from './inherit-settings.js';
import type {
  ChunkedUploadAsyncOptions,
  ChunkedUploadOptions,
  UploadDoor,
  UploadFeature,
  UploadSettings,
  UploadShape,
} from './upload-options.js';
import type { CompleteShape } from './upload-shape.js';
import { registeredTwice } from './upload-types.js';
import { type TypeSettings, uploadTypeParts } from './upload-type.module.js';

/** Shaping options with their defaults; what is not among these keys is a setting. */
const DEFAULT_SHAPE = {
  entity: ChunkedUpload as Type<AbstractChunkedUpload> | false,
  path: 'upload',
  version: undefined as UploadShape['version'],
  doors: ['rest'] as readonly UploadDoor[],
  formPostPath: 'chunked_upload',
  controller: undefined as Type<RestUploadsController> | undefined,
  formPostController: undefined as Type<FormPostUploadsController> | undefined,
  guards: [] as NonNullable<UploadShape['guards']>,
  decorators: [] as NonNullable<UploadShape['decorators']>,
  dataSource: undefined as string | undefined,
  cleanup: '*/10 * * * *' as string | false,
  isGlobal: true,
};

type Shape = typeof DEFAULT_SHAPE;

const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } = new ConfigurableModuleBuilder<UploadSettings>({
  moduleName: 'ChunkedUpload',
})
  .setClassMethodName('forRoot')
  .setExtras<Shape>(DEFAULT_SHAPE, shapeRoot)
  .build();

/** What `forRoot` was given, for the types of `forFeature`. */
const ROOT_UPLOADS = Symbol('ROOT_UPLOADS');

/** The settings of `forRoot`, and what of its shape its types inherit or have to say themselves. */
interface RootUploads extends TypeSettings {
  readonly hasGuards: boolean;
}

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

  /**
   * Registers further upload types, each with a table, a route and rules of its own. What a type does not say it has from
   * `forRoot`, but for hooks and owners, which are each type's own.
   */
  static forFeature<const Entities extends readonly AbstractChunkedUpload[]>(features: {
    readonly [Index in keyof Entities]: UploadFeature<Entities[Index]>;
  }): DynamicModule {
    const given = features as unknown as readonly UploadFeature[];
    const twice = given.find(({ entity }, index) => given.slice(0, index).some((g) => g.entity === entity));
    if (twice) throw registeredTwice(twice.entity.name);
    const parts = given.map((feature) => featureParts(feature));
    return {
      module: ChunkedUploadModule,
      imports: [UploadCoreModule, ...parts.flatMap(({ imports }) => imports)],
      controllers: parts.flatMap(({ controllers }) => controllers),
      providers: parts.flatMap(({ providers }) => providers),
      exports: parts.flatMap(({ exports }) => exports),
    };
  }
}

function shapeRoot(definition: DynamicModule, { entity, cleanup, isGlobal, ...shape }: Shape): DynamicModule {
  const source = { inject: [ROOT_UPLOADS], useFactory: (root: RootUploads) => root };
  const parts = entity && uploadTypeParts({ ...shape, entity }, source);
  return {
    ...definition,
    global: isGlobal,
    imports: [...(definition.imports ?? []), UploadCoreModule, ...(parts ? parts.imports : [])],
    controllers: parts ? parts.controllers : [],
    providers: [
      ...(definition.providers ?? []),
      {
        provide: ROOT_UPLOADS,
        inject: [MODULE_OPTIONS_TOKEN],
        useFactory: (settings: UploadSettings): RootUploads => ({
          settings,
          cleanup,
          hasGuards: shape.guards.length > 0,
        }),
      },
      ...(parts ? parts.providers : []),
    ],
    exports: [ROOT_UPLOADS, UploadCoreModule, ...(parts ? parts.exports : [])],
  };
}

/** Keys of a feature that are no settings. */
type FeatureShape = Omit<CompleteShape, 'entity'>;

function featureParts(feature: UploadFeature): ReturnType<typeof uploadTypeParts> {
  const {
    entity,
    path,
    version,
    doors,
    formPostPath,
    controller,
    formPostController,
    guards,
    decorators,
    dataSource,
    ...rest
  } = feature;
  const { cleanup, imports = [], inject = [], useFactory, ...settings } = rest;
  const shape: FeatureShape = {
    path,
    version,
    doors: doors ?? DEFAULT_SHAPE.doors,
    formPostPath: formPostPath ?? `${path}/${DEFAULT_SHAPE.formPostPath}`,
    controller,
    formPostController,
    guards: guards ?? [],
    decorators: decorators ?? [],
    dataSource,
  };
  const parts = uploadTypeParts(
    { ...shape, entity },
    {
      inject: [{ token: ROOT_UPLOADS, optional: true }, ...inject],
      useFactory: async (root: RootUploads | undefined, ...dependencies: unknown[]) => {
        requireRoot(entity, root);
        if (root.hasGuards && !guards) throw guardsMissing(entity);
        const own = { ...settings, ...(await useFactory?.(...dependencies)) };
        return { settings: inheritSettings(root.settings, own), cleanup: cleanup ?? root.cleanup };
      },
    },
  );
  return { ...parts, imports: [...imports, ...parts.imports] };
}

function requireRoot(entity: Type<object>, root: RootUploads | undefined): asserts root is RootUploads {
  if (root) return;
  throw new InvalidOptionError(
    `forFeature of ${entity.name} needs ChunkedUploadModule.forRoot({ … }) in the app's root module ` +
      '(with `entity: false` when it has no upload type of its own).',
  );
}

/** Fail closed: a type beside a guarded one is not open by forgetting a line. */
function guardsMissing(entity: Type<object>): InvalidOptionError {
  return new InvalidOptionError(
    `forRoot has guards, and the upload type ${entity.name} says nothing of its own. Write \`guards: [YourAuthGuard]\`, ` +
      'or `guards: []` for none.',
  );
}
