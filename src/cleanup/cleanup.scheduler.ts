import { type BeforeApplicationShutdown, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import type { ModuleRef } from '@nestjs/core';
import { SchedulerRegistry } from '@nestjs/schedule';
import { CronJob } from 'cron';
import type { DataSource } from 'typeorm';
import { alone } from '../persistence/advisory-lock.js';
import type { UploadCleanup } from './upload-cleanup.js';

/** Data sources and tables that have a job in this process already: a module imported twice still cleans once. */
const scheduled = new WeakMap<DataSource, Set<string>>();

export interface CleanupSchedule {
  /** Cron expression, or false for none. */
  readonly cron: string | false;
  /** What is cleaned: names the job, and the lock that keeps other instances out. */
  readonly name: string;
}

/**
 * Runs the cleanup by the clock: one job a process, one instance at a time. It needs no `ScheduleModule`; where the app
 * has one, the job is in its registry.
 */
export class CleanupScheduler implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('ChunkedUploadCleanup');
  private job: CronJob | undefined;
  private running: Promise<void> = Promise.resolve();

  constructor(
    private readonly schedule: CleanupSchedule,
    private readonly cleanup: UploadCleanup,
    private readonly dataSource: DataSource,
    private readonly moduleRef: ModuleRef,
  ) {}

  onApplicationBootstrap(): void {
    const names = scheduled.get(this.dataSource) ?? new Set();
    if (this.schedule.cron === false || names.has(this.schedule.name)) return;
    scheduled.set(this.dataSource, names.add(this.schedule.name));
    this.job = CronJob.from({
      cronTime: this.schedule.cron,
      onTick: () => (this.running = this.tick()),
      waitForCompletion: true,
      start: true,
    });
    this.registry?.addCronJob(this.jobName, this.job);
  }

  async beforeApplicationShutdown(): Promise<void> {
    if (!this.job) return;
    scheduled.get(this.dataSource)?.delete(this.schedule.name);
    await this.job.stop();
    await this.running;
  }

  /** Cleans, unless another instance does. What fails is logged: the next tick tries again. */
  async tick(): Promise<void> {
    try {
      await alone(this.dataSource, this.jobName, async () => {
        const { rows, bytes, failures } = await this.cleanup.run();
        if (rows + failures > 0)
          this.logger.log(`Deleted ${rows} expired uploads (${bytes} bytes), ${failures} failed`);
      });
    } catch (error) {
      this.logger.error('Cleanup failed', error instanceof Error ? error.stack : error);
    }
  }

  private get jobName(): string {
    return `chunked-upload-cleanup:${this.schedule.name}`;
  }

  private get registry(): SchedulerRegistry | null {
    try {
      return this.moduleRef.get(SchedulerRegistry, { strict: false });
    } catch {
      return null;
    }
  }
}
