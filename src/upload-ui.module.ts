import { type DynamicModule, type FactoryProvider, Module } from '@nestjs/common';
import { InvalidOptionError } from './option-values.js';
import { createPageController } from './ui/create-page-controller.js';
import { readPageFiles } from './ui/page-files.js';
import { DEFAULT_PAGE_OPTIONS, type UploadPageOptions } from './ui/page-options.js';
import { PageSlash } from './ui/page-slash.js';
import { UploadCoreModule } from './upload-core.module.js';
import { UploadTypes } from './upload-types.js';

/**
 * A page for people: drop files, watch, pause, go on after a reload. Off unless imported.
 *
 * @example
 * imports: [ChunkedUploadModule.forRoot({ … }), ChunkedUploadUiModule.forRoot({ path: 'files' })]
 */
@Module({})
export class ChunkedUploadUiModule {
  /** Boot fails with InvalidOptionError when nothing says where to upload: no type has the route `upload`. */
  static forRoot(options: UploadPageOptions = {}): DynamicModule {
    const complete = { ...DEFAULT_PAGE_OPTIONS, ...options };
    return {
      module: ChunkedUploadUiModule,
      imports: [UploadCoreModule],
      controllers: [createPageController(complete, readPageFiles(complete))],
      providers: [PageSlash, ...(options.endpoint === undefined ? [defaultEndpointCheck] : [])],
    };
  }
}

/** A page that uploads to nowhere is better not there. */
const defaultEndpointCheck: FactoryProvider = {
  provide: Symbol('defaultEndpointCheck'),
  inject: [UploadTypes],
  useFactory: (types: UploadTypes) => ({
    onModuleInit() {
      const routes = [...types].flatMap((type) => type.routes);
      if (routes.includes(DEFAULT_PAGE_OPTIONS.endpoint)) return;
      throw new InvalidOptionError(
        `ChunkedUploadUiModule does not know where to upload: there is no route "upload", but ${routes.join(', ') || 'none at all'}. ` +
          "Write `ChunkedUploadUiModule.forRoot({ endpoint: 'your-route' })`.",
      );
    },
  }),
};
