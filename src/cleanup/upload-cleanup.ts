import { UploadError } from '../errors/upload-error.js';
import type { RemovalFilter } from '../persistence/removal.repository.js';
import type { UploadType } from '../upload-type.js';
import { chosenTypes } from './chosen-types.js';

/** Rows taken at once: few enough to hold in memory, many enough to be quick. */
const BATCH_ROWS = 100;

/** What a cleanup takes; by default what has expired. */
export interface CleanupOptions {
  /** Unfinished uploads without activity since then, instead of those that expired. */
  readonly olderThan?: Date;
  /** Names of entities. @default all */
  readonly types?: readonly string[];
  /** All unfinished uploads, whatever their age; those being written now are spared. @default false */
  readonly unfinished?: boolean;
  /** Deletes the bytes and keeps the rows, so that the ids answer 410. @default as the upload type says */
  readonly keepRecords?: boolean;
  /** Only counts. @default false */
  readonly dryRun?: boolean;
  /** Most uploads to take. @default unlimited */
  readonly limit?: number;
  /** Ends the run after the batch at hand. */
  readonly signal?: AbortSignal;
  /** Called after every batch, for progress. */
  readonly onProgress?: (report: CleanupReport) => void;
}

/** What a cleanup did to one upload type. */
export interface TypeReport {
  rows: number;
  bytes: number;
  /** Uploads whose bytes could not be deleted; they are tried again by a later run. */
  failures: number;
}

/** What a cleanup did. */
export interface CleanupReport extends TypeReport {
  readonly dryRun: boolean;
  readonly types: Readonly<Record<string, TypeReport>>;
}

/**
 * Deletes unfinished uploads that are due: in batches, never one that is being written, never a complete one. Several
 * may run at once: each upload is taken by one of them.
 */
export class UploadCleanup {
  constructor(private readonly types: Iterable<UploadType>) {}

  /** @throws RangeError for a type that is not there, or for options that contradict each other. */
  async run(options: CleanupOptions = {}): Promise<CleanupReport> {
    const types: Record<string, TypeReport> = {};
    const report: CleanupReport = { dryRun: options.dryRun ?? false, rows: 0, bytes: 0, failures: 0, types };
    for (const type of chosenTypes(this.types, options.types)) {
      const typeReport = (types[type.name] = { rows: 0, bytes: 0, failures: 0 });
      if (report.dryRun) await count(type, options, [report, typeReport]);
      else await clean(type, options, [report, typeReport]);
    }
    return report;
  }
}

type Tallies = readonly [CleanupReport, TypeReport];

/** Which uploads the options are about. */
export function filterOf({ olderThan, unfinished }: CleanupOptions): RemovalFilter {
  if (olderThan && unfinished) {
    throw new RangeError(
      'Name either an age (olderThan) or all that is unfinished, whatever its age; not both.',
    );
  }
  return { olderThan: olderThan ?? null, unfinished: unfinished ?? false };
}

async function count(type: UploadType, options: CleanupOptions, tallies: Tallies): Promise<void> {
  const left = (options.limit ?? Number.MAX_SAFE_INTEGER) - tallies[0].rows;
  const { removals } = type.engine.context.repositories;
  const { rows, bytes } = await removals.countDue(filterOf(options), left);
  add(tallies, { rows, bytes });
}

async function clean(type: UploadType, options: CleanupOptions, tallies: Tallies): Promise<void> {
  const { repositories, policy, events } = type.engine.context;
  const keepRecords = options.keepRecords ?? policy.keepRecords;
  while (!options.signal?.aborted) {
    const left = (options.limit ?? Number.MAX_SAFE_INTEGER) - tallies[0].rows - tallies[0].failures;
    const batch = await repositories.removals.claimDue(filterOf(options), Math.min(left, BATCH_ROWS));
    const failedBefore = tallies[0].failures;
    for (const upload of batch) {
      try {
        await type.engine.remover.erase(upload, keepRecords);
        add(tallies, { rows: 1, bytes: upload.offset });
        events.emit('expired', upload);
      } catch (error) {
        // One upload's storage does not keep the others: it stays `deleting`, and a later run tries again.
        if (UploadError.is(error, 'database_unavailable')) throw error;
        add(tallies, { failures: 1 });
      }
    }
    options.onProgress?.(tallies[0]);
    // Of a storage that fails for all, slowly, they would be due again by the end.
    if (batch.length === tallies[0].failures - failedBefore) return;
  }
}

function add(tallies: Tallies, { rows = 0, bytes = 0, failures = 0 }: Partial<TypeReport>): void {
  for (const tally of tallies) {
    tally.rows += rows;
    tally.bytes += bytes;
    tally.failures += failures;
  }
}
