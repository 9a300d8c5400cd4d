import { Global, Module } from '@nestjs/common';
import { CleanupScheduler } from './cleanup/cleanup.scheduler.js';
import { CleanupReview } from './cleanup/cleanup-review.js';
import { UploadCleanup } from './cleanup/upload-cleanup.js';
import { UploadSweep } from './cleanup/upload-sweep.js';
import { UploadVerification } from './cleanup/upload-verification.js';
import { UploadRoutes } from './protocols/http/upload-routes.js';
import { UploadHealth } from './upload-health.js';
import { UploadLifecycle } from './upload-lifecycle.js';
import { UploadTypes } from './upload-types.js';

/** Providers made of all upload types. */
const onAllTypes = [UploadCleanup, CleanupReview, UploadVerification, UploadSweep, UploadHealth].map(
  (provide) => ({
    provide,
    inject: [UploadTypes],
    useFactory: (types: UploadTypes) => new provide(types),
  }),
);

const lifecycle = {
  provide: UploadLifecycle,
  inject: [UploadTypes, CleanupScheduler],
  useFactory: (types: UploadTypes, scheduler: CleanupScheduler) => new UploadLifecycle(types, scheduler),
};

/** What all upload types of an app share, once, however many modules register types. */
@Global()
@Module({
  providers: [UploadTypes, UploadRoutes, ...onAllTypes, CleanupScheduler, lifecycle],
  exports: [
    UploadTypes,
    UploadRoutes,
    UploadCleanup,
    CleanupScheduler,
    CleanupReview,
    UploadVerification,
    UploadSweep,
    UploadHealth,
  ],
})
export class UploadCoreModule {}
