import {
  type BeforeApplicationShutdown,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { SchedulerRegistry } from '@nestjs/schedule';
import { CronJob } from 'cron';
import { alone } from '../persistence/advisory-lock.js';
import type { UploadType } from '../upload-type.js';
import { UploadTypes } from '../upload-types.js';
import { UploadCleanup } from './upload-cleanup.js';

/**
 * Runs the cleanup by the clock: one job for each upload type, in one instance at a time. It needs no `ScheduleModule`;
 * where the app has one, the jobs are in its registry.
 */
@Injectable()
export class CleanupScheduler implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('ChunkedUploadCleanup');
  private readonly jobs: CronJob[] = [];
  private readonly running = new Map<UploadType, Promise<void>>();

  constructor(
    private readonly types: UploadTypes,
    private readonly cleanup: UploadCleanup,
    private readonly moduleRef: ModuleRef,
  ) {}

  onApplicationBootstrap(): void {
    for (const type of this.types) {
      if (type.cleanup === false) continue;
      const job = CronJob.from({
        cronTime: type.cleanup,
        onTick: () => {
          const tick = this.tick(type);
          this.running.set(type, tick);
          return tick;
        },
        waitForCompletion: true,
        start: true,
      });
      this.jobs.push(job);
      this.registry?.addCronJob(nameOf(type), job);
    }
  }

  async beforeApplicationShutdown(): Promise<void> {
    for (const job of this.jobs) await job.stop();
    await Promise.all(this.running.values());
  }

  /** Cleans, unless another instance does. What fails is logged: the next tick tries again. */
  private async tick(type: UploadType): Promise<void> {
    try {
      await alone(type.engine.context.repositories.dataSource, nameOf(type), async () => {
        const { rows, bytes, failures } = await this.cleanup.run({ types: [type.name] });
        if (rows + failures > 0)
          this.logger.log(`${type.name}: deleted ${rows} uploads (${bytes} bytes), ${failures} failed`);
      });
    } catch (error) {
      this.logger.error(`Cleanup of ${type.name} failed`, error instanceof Error ? error.stack : error);
    }
  }

  private get registry(): SchedulerRegistry | null {
    try {
      return this.moduleRef.get(SchedulerRegistry, { strict: false });
    } catch {
      return null;
    }
  }
}

/** Names the job, and the lock that keeps other instances out. */
function nameOf({ name }: UploadType): string {
  return `chunked-upload-cleanup:${name}`;
}
