import type { Command } from 'commander';
import { type SweepReport, UploadSweep } from '../cleanup/upload-sweep.js';
import { EXIT, EXIT_CODES_HELP } from './exit-code.js';
import { type OpenApp, withApp } from './open-app.js';
import { parseDuration } from './option-parsers.js';

interface SweepFlags {
  readonly grace?: number;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

/** Adds `sweep`. Exits 1 when complete uploads have lost their bytes, or another sweep is running. */
export function addSweepCommand(program: Command, open: OpenApp): void {
  program
    .command('sweep')
    .description(
      'compare storage and rows: delete bytes that no row needs, mark uploads whose bytes are gone',
    )
    .option(
      '--grace <duration>',
      "leave alone what is younger than this, e.g. '12h' (default: 1d)",
      parseDuration,
    )
    .option('--dry-run', 'only report')
    .option('--json', 'print the report as JSON')
    .addHelpText('after', EXIT_CODES_HELP)
    .action(async ({ grace, dryRun, json }: SweepFlags) => {
      const options = { ...(grace !== undefined && { graceMs: grace }), dryRun: dryRun ?? false };
      const report = await withApp(open, (app) => app.get(UploadSweep, { strict: false }).run(options));
      console.log(json ? JSON.stringify(report) : describe(report));
      if (!report || report.lostFiles.length > 0) process.exitCode = EXIT.failure;
    });
}

function describe(report: SweepReport | null): string {
  if (!report) return 'Another sweep is running; nothing was done.';
  const { dryRun, orphanObjects, orphanBytes, lostUploads, lostFiles } = report;
  return [
    `${orphanObjects} objects (${orphanBytes} bytes) that no row needs ${dryRun ? 'would be deleted' : 'deleted'}`,
    `${lostUploads.length} unfinished uploads without their bytes${dryRun ? '' : ', now failed'}`,
    `${lostFiles.length} complete uploads without their bytes${lostFiles.length > 0 ? ': restore them from a backup' : ''}`,
    ...lostFiles.map((id) => `  ${id}`),
  ].join('\n');
}
