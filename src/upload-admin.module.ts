import { type DynamicModule, Module, type Provider } from '@nestjs/common';
import { AdminCleanup } from './admin/admin-cleanup.js';
import type { UploadAdminOptions } from './admin/admin-options.js';
import { createAdminController } from './admin/create-admin-controller.js';
import { UploadBoard } from './admin/board/upload-board.js';
import { UploadAdmin } from './admin/upload-admin.js';
import { CleanupScheduler } from './cleanup/cleanup.scheduler.js';
import { UploadCleanup } from './cleanup/upload-cleanup.js';
import { InvalidOptionError } from './option-values.js';
import { UploadCoreModule } from './upload-core.module.js';
import { UploadTypes } from './upload-types.js';

/**
 * A JSON API for administrators, over all upload types of the app, and with `board` a page for them. Off unless imported.
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
          inject: [UploadCleanup, CleanupScheduler],
          useFactory: (cleanup: UploadCleanup, scheduler: CleanupScheduler) =>
            new AdminCleanup(cleanup, scheduler),
        },
        ...(options.board ? [boardProvider(options)] : []),
      ],
    };
  }
}

function boardProvider({ readOnly = false }: UploadAdminOptions): Provider {
  return {
    provide: UploadBoard,
    inject: [UploadAdmin],
    useFactory: (admin: UploadAdmin) => new UploadBoard(admin, { readOnly }),
  };
}

/** Plain JavaScript may leave them away; a guard of a circular import is undefined. */
function requireGuards({ guards }: Partial<UploadAdminOptions> = {}): void {
  if (guards && guards.length > 0 && guards.every(Boolean)) return;
  throw new InvalidOptionError(
    'ChunkedUploadAdminModule shows and deletes the uploads of everybody, so it needs guards that let only administrators ' +
      'pass. Write `ChunkedUploadAdminModule.forRoot({ guards: [YourAdminGuard] })`.',
  );
}
