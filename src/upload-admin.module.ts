import { type DynamicModule, Module } from '@nestjs/common';
import { AdminCleanup } from './admin/admin-cleanup.js';
import type { UploadAdminOptions } from './admin/admin-options.js';
import { createAdminController } from './admin/create-admin-controller.js';
import { UploadAdmin } from './admin/upload-admin.js';
import { UploadCleanup } from './cleanup/upload-cleanup.js';
import { InvalidOptionError } from './option-values.js';
import { UploadCoreModule } from './upload-core.module.js';
import { UploadTypes } from './upload-types.js';

/**
 * A JSON API for administrators, over all upload types of the app. Off unless imported.
 *
 * @example
 * imports: [ChunkedUploadModule.forRoot({ … }), ChunkedUploadAdminModule.forRoot({ guards: [AdminGuard] })]
 */
@Module({})
export class ChunkedUploadAdminModule {
  /** @throws InvalidOptionError without guards: the API deletes anybody's uploads. */
  static forRoot(options: UploadAdminOptions): DynamicModule {
    requireGuards(options);
    return {
      module: ChunkedUploadAdminModule,
      imports: [UploadCoreModule],
      controllers: [createAdminController(options)],
      providers: [
        {
          provide: UploadAdmin,
          inject: [UploadTypes],
          useFactory: (types: UploadTypes) => new UploadAdmin(types),
        },
        {
          provide: AdminCleanup,
          inject: [UploadCleanup],
          useFactory: (cleanup: UploadCleanup) => new AdminCleanup(cleanup),
        },
      ],
    };
  }
}

/** Plain JavaScript may leave them away; a guard of a circular import is undefined. */
function requireGuards({ guards }: Partial<UploadAdminOptions> = {}): void {
  if (guards && guards.length > 0 && guards.every(Boolean)) return;
  throw new InvalidOptionError(
    'ChunkedUploadAdminModule shows and deletes the uploads of everybody, so it needs guards that let only administrators ' +
      'pass. Write `ChunkedUploadAdminModule.forRoot({ guards: [YourAdminGuard] })`.',
  );
}
