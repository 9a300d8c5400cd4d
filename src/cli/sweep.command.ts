import type { Command } from 'commander';
import { type SweepReport, UploadSweep } from '../cleanup/upload-sweep.js';
import { type OpenApp, parseDuration } from './cleanup.command.js';

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
      'compare storage and rows: delete bytes that no row knows, mark uploads whose bytes are gone',
    )
    .option(
      '--grace <duration>',
      "leave alone what is younger than this, e.g. '12h' (default: 1d)",
      parseDuration,
    )
    .option('--dry-run', 'only report')
    .option('--json', 'print the report as JSON')
    .action(async ({ grace, dryRun, json }: SweepFlags) => {
      const app = await open();
      try {
        const sweep = app.get(UploadSweep, { strict: false });
        const report = await sweep.run({
          ...(grace !== undefined && { graceMs: grace }),
          dryRun: dryRun ?? false,
        });
        console.log(json ? JSON.stringify(report) : describe(report));
        if (!report || report.lostFiles.length > 0) process.exitCode = 1;
      } finally {
        await app.close();
      }
    });
}

function describe(report: SweepReport | null): string {
  if (!report) return 'Another sweep is running; nothing was done.';
  const { dryRun, orphanObjects, orphanBytes, lostUploads, lostFiles } = report;
  return [
    `${orphanObjects} objects (${orphanBytes} bytes) that no row knows ${dryRun ? 'would be deleted' : 'deleted'}`,
    `${lostUploads.length} unfinished uploads without their bytes${dryRun ? '' : ', now failed'}`,
    `${lostFiles.length} complete uploads without their bytes${lostFiles.length > 0 ? ': restore them from a backup' : ''}`,
    ...lostFiles.map((id) => `  ${id}`),
  ].join('\n');
}
