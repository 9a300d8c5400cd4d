import { storedUpload } from '../engine/engine-context.js';
import { alone } from '../persistence/advisory-lock.js';
import type { AbstractChunkedUpload } from '../persistence/abstract-chunked-upload.entity.js';
import { isSweepable, type StoredObject, type SweepableStorage } from '../storage/sweepable-storage.js';
import type { UploadType } from '../upload-type.js';

const BATCH = 500;
const FIRST_ID = '00000000-0000-0000-0000-000000000000';
const DAY_MS = 24 * 60 * 60 * 1000;

export interface SweepOptions {
  /** What is younger is left alone: it may be on its way. @default one day */
  readonly graceMs?: number;
  /** Only reports. @default false */
  readonly dryRun?: boolean;
}

/** What a sweep found, and unless it was a dry run, put right. */
export interface SweepReport {
  readonly dryRun: boolean;
  /** Objects that no row knows, and what lies beside complete files: deleted. */
  orphanObjects: number;
  orphanBytes: number;
  /** Unfinished uploads whose bytes are gone: now `failed`. */
  readonly lostUploads: string[];
  /** Complete uploads whose bytes are gone or of another size: nothing is changed, somebody has to look. */
  readonly lostFiles: string[];
}

/**
 * Compares storage and rows, both ways. What crashes leave has a row, and cleanup finds it: this is for rows deleted by
 * hand, a database restored from a backup, and writers that were paused until long after. Run it when you need it; a
 * storage must belong to the upload types of one app, since objects of another app's rows look like orphans here.
 */
export class UploadSweep {
  constructor(private readonly types: Iterable<UploadType>) {}

  /**
   * Null: another sweep is running.
   * @throws UploadError `storage_unavailable`: nothing is judged by a storage that is not there.
   */
  async run({ graceMs = DAY_MS, dryRun = false }: SweepOptions = {}): Promise<SweepReport | null> {
    const types = [...this.types];
    const [first] = types;
    if (!first) return null;
    const { dataSource } = first.engine.context.repositories;
    return alone(dataSource, 'chunked-upload-sweep', async () => {
      const report: SweepReport = {
        dryRun,
        orphanObjects: 0,
        orphanBytes: 0,
        lostUploads: [],
        lostFiles: [],
      };
      const before = new Date(Date.now() - graceMs);
      for (const driver of new Set(types.map(({ engine }) => engine.context.driver))) {
        await driver.check();
        if (isSweepable(driver)) await this.sweepObjects(driver, before, report);
      }
      for (const type of types) await sweepRows(type, before, report);
      return report;
    });
  }

  /** Storage is listed first and the rows are asked second: a row that is new by then had no object in the list. */
  private async sweepObjects(driver: SweepableStorage, before: Date, report: SweepReport): Promise<void> {
    let batch: StoredObject[] = [];
    for await (const object of driver.list()) {
      if (object.modifiedAt < before) batch.push(object);
      if (batch.length < BATCH) continue;
      await this.removeUnneeded(driver, batch, report);
      batch = [];
    }
    await this.removeUnneeded(driver, batch, report);
  }

  private async removeUnneeded(
    driver: SweepableStorage,
    batch: readonly StoredObject[],
    report: SweepReport,
  ): Promise<void> {
    const ids = batch.map(({ uploadId }) => uploadId);
    const rows = await Promise.all(
      [...this.types].map(({ engine }) => engine.context.repositories.removals.withBytes(ids)),
    );
    const uploads = new Map(rows.flat().map((upload) => [upload.id, upload]));
    for (const object of batch) {
      const upload = uploads.get(object.uploadId);
      if (upload && !(await isLeftover(driver, upload, object))) continue;
      if (!report.dryRun) await driver.remove(object.key);
      report.orphanObjects++;
      report.orphanBytes += object.bytes;
    }
  }
}

/** Whether it lies beside the intact file of a complete upload, where a writer that was paused meanwhile put it. */
async function isLeftover(
  driver: SweepableStorage,
  upload: AbstractChunkedUpload,
  { key }: StoredObject,
): Promise<boolean> {
  const stored = storedUpload(upload);
  if (upload.status !== 'complete' || !driver.isBesideFinal(stored, key)) return false;
  return (await driver.size(stored)) === upload.offset;
}

async function sweepRows({ engine }: UploadType, before: Date, report: SweepReport): Promise<void> {
  const { driver, repositories } = engine.context;
  for (let after = FIRST_ID; ;) {
    const page = await repositories.removals.resting(before, after, BATCH);
    for (const upload of page) {
      const { id, offset, status } = upload;
      const stored = await driver.size(storedUpload(upload));
      const isComplete = status === 'complete';
      if (stored !== null && (isComplete ? stored === offset : stored >= offset)) continue;
      // The page may be old by now: what was deleted or gone on with meanwhile is not lost.
      const [now] = await repositories.removals.withBytes([id]);
      if (now?.status !== status || now.updatedAt >= before) continue;
      if (isComplete) report.lostFiles.push(id);
      else if (report.dryRun || (await repositories.removals.markFailed(id, before)))
        report.lostUploads.push(id);
    }
    const last = page.at(-1);
    if (!last) return;
    after = last.id;
  }
}
