import { CleanupReview, type DueUpload, type ReviewOptions } from '../cleanup/cleanup-review.js';
import type { CleanupReport } from '../cleanup/upload-cleanup.js';
import { UploadError } from '../errors/upload-error.js';
import type { UploadType } from '../upload-type.js';
import { Dialog } from './dialog.js';
import { EXIT } from './exit-code.js';
import { uploadLine } from './upload-view.js';

const ANSWERS = ['yes', 'no', 'all', 'quit'] as const;
type Answer = (typeof ANSWERS)[number];

/** What became of a cleanup that asked: as of one that did not, and what was left on purpose. */
export interface DialogReport extends CleanupReport {
  kept: number;
}

/** Asks about each upload that is due, and deletes those that were agreed to. */
export async function cleanByDialog(
  types: readonly UploadType[],
  options: ReviewOptions,
): Promise<DialogReport> {
  const review = new CleanupReview(types);
  const counts = types.map(({ name }) => [name, { rows: 0, bytes: 0, failures: 0 }] as const);
  const report: DialogReport = {
    dryRun: false,
    ...{ rows: 0, bytes: 0, failures: 0, kept: 0 },
    types: Object.fromEntries(counts),
  };
  const dialog = Dialog.open();
  let isAll = false;
  try {
    for await (const due of review.due(options)) {
      const question = `Delete ${uploadLine(due)}?`;
      const answer: Answer | null = isAll ? 'yes' : await dialog.ask(question, ANSWERS);
      if (answer === null) process.exitCode = EXIT.interrupted;
      if (answer === null || answer === 'quit') break;
      isAll ||= answer === 'all';
      if (answer === 'no') report.kept++;
      else await remove(review, due, options, report);
    }
  } finally {
    dialog.close();
  }
  return report;
}

async function remove(
  review: CleanupReview,
  due: DueUpload,
  options: ReviewOptions,
  report: DialogReport,
): Promise<void> {
  const type = report.types[due.type.name];
  const tallies = type ? [report, type] : [report];
  try {
    if (await review.delete(due, options)) {
      for (const tally of tallies) {
        tally.rows++;
        tally.bytes += due.upload.offset;
      }
    } else console.error('Not deleted: somebody went on with it, or deleted it.');
  } catch (error) {
    if (!UploadError.is(error) || error.code === 'database_unavailable') throw error;
    for (const tally of tallies) tally.failures++;
  }
}
