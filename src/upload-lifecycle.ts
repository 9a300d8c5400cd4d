import type { BeforeApplicationShutdown, OnApplicationBootstrap } from '@nestjs/common';
import type { CleanupScheduler } from './cleanup/cleanup.scheduler.js';
import type { UploadType } from './upload-type.js';

/** Starts and stops upload types, and their cleanup, with the app. */
export class UploadLifecycle implements OnApplicationBootstrap, BeforeApplicationShutdown {
  constructor(
    private readonly types: Iterable<UploadType>,
    private readonly scheduler: CleanupScheduler,
  ) {}

  /** Fails the boot when bytes could not be stored, instead of the first upload. */
  async onApplicationBootstrap(): Promise<void> {
    for (const { engine } of this.types) {
      await engine.context.driver.check();
      await engine.open();
    }
    this.scheduler.start();
  }

  /**
   * Before Nest waits for open requests: a client that uploads for hours would keep it waiting. All at once, as Nest calls
   * the hooks of one provider after another's: no cleanup, however long, keeps the uploads from being drained.
   */
  async beforeApplicationShutdown(): Promise<void> {
    const drains = [...this.types].map(({ engine, door }) => engine.drain(door.shutdownGraceMs));
    await Promise.all([...drains, this.scheduler.stop()]);
  }
}
