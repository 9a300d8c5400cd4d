import type { BeforeApplicationShutdown, OnApplicationBootstrap } from '@nestjs/common';
import type { UploadType } from './upload-type.js';

/** Starts and stops upload types with the app. */
export class UploadLifecycle implements OnApplicationBootstrap, BeforeApplicationShutdown {
  constructor(private readonly types: Iterable<UploadType>) {}

  /** Fails the boot when bytes could not be stored, instead of the first upload. */
  async onApplicationBootstrap(): Promise<void> {
    for (const { engine } of this.types) {
      await engine.context.driver.check();
      await engine.open();
    }
  }

  /** Before Nest waits for open requests: a client that uploads for hours would keep it waiting. */
  async beforeApplicationShutdown(): Promise<void> {
    await Promise.all([...this.types].map(({ engine, door }) => engine.drain(door.shutdownGraceMs)));
  }
}
