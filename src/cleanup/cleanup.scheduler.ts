import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, Logger } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { SchedulerRegistry } from '@nestjs/schedule';
import { CronJob } from 'cron';
import { alone } from '../persistence/advisory-lock.js';
import type { UploadType } from '../upload-type.js';
import { UploadTypes } from '../upload-types.js';
import { type CleanupRun, recordRun } from './cleanup-run.js';
import { UploadCleanup } from './upload-cleanup.js';

/** How long a stop waits for the uploads at hand: one whose storage hangs would hold the process. */
const STOP_MS = 3_000;

/** The cleanup of one upload type by the clock. */
export interface ScheduledCleanup {
  /** Name of the upload type. */
  readonly type: string;
  /** Its cron expression. */
  readonly cron: string;
  readonly nextAt: Date;
  /** The last run in this process, or the one that is running; null before the first, and while other instances run it. */
  readonly last: CleanupRun | null;
}

/**
 * Runs the cleanup by the clock: one job for each upload type, in one instance at a time. It needs no `ScheduleModule`;
 * where the app has one, the jobs are in its registry.
 */
@Injectable()
export class CleanupScheduler {
  private readonly logger = new Logger('ChunkedUploadCleanup');
  private readonly jobs = new Map<UploadType, CronJob>();
  private readonly runs = new Map<UploadType, CleanupRun>();
  private readonly running = new Map<UploadType, Promise<void>>();
  private readonly stopping = new AbortController();

  constructor(
    private readonly types: UploadTypes,
    private readonly cleanup: UploadCleanup,
    private readonly moduleRef: ModuleRef,
  ) {}

  /** One for each upload type that has a cron expression. */
  get scheduled(): ScheduledCleanup[] {
    return [...this.jobs].map(([type, job]) => ({
      type: type.name,
      cron: String(type.cleanup),
      nextAt: job.nextDate().toJSDate(),
      last: this.runs.get(type) ?? null,
    }));
  }

  /** Starts the jobs. */
  start(): void {
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
      this.jobs.set(type, job);
      this.registry?.addCronJob(nameOf(type), job);
    }
  }

  /** Ends the jobs, and what runs after its batch at hand. */
  async stop(): Promise<void> {
    this.stopping.abort();
    // What it promises is that the run has ended, which may be never.
    for (const job of this.jobs.values()) void job.stop();
    await Promise.race([Promise.all(this.running.values()), sleep(STOP_MS, undefined, { ref: false })]);
  }

  /** Cleans, unless another instance does. What fails is logged: the next tick tries again. */
  private async tick(type: UploadType): Promise<void> {
    try {
      await alone(type.engine.context.repositories.dataSource, nameOf(type), async () => {
        const options = { types: [type.name], signal: this.stopping.signal };
        const { report } = await recordRun(this.cleanup, options, (run) => this.runs.set(type, run));
        if (report && report.rows + report.failures > 0) {
          const { rows, bytes, failures } = report;
          this.logger.log(`${type.name}: deleted ${rows} uploads (${bytes} bytes), ${failures} failed`);
        }
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
