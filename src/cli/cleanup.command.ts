import type { INestApplicationContext } from '@nestjs/common';
import { type Command, InvalidArgumentError } from 'commander';
import ms, { type StringValue } from 'ms';
import { type CleanupOptions, type CleanupReport, UploadCleanup } from '../cleanup/upload-cleanup.js';

/** Boots the app whose uploads a command works on, without listening. */
export type OpenApp = () => Promise<INestApplicationContext>;

interface CleanupFlags {
  readonly olderThan?: number;
  readonly type?: string[];
  readonly unfinished?: boolean;
  readonly keepRecords?: boolean;
  readonly dryRun?: boolean;
  readonly limit?: number;
  readonly json?: boolean;
}

/** Adds `cleanup`. Exits 0 when all went well, 1 when an upload could not be deleted or nothing could be done. */
export function addCleanupCommand(program: Command, open: OpenApp): void {
  program
    .command('cleanup')
    .description(
      'delete unfinished uploads that have expired, rows and bytes; complete ones are never touched',
    )
    .option(
      '--older-than <duration>',
      "those without activity for this long instead, e.g. '3d'",
      parseDuration,
    )
    .option('--unfinished', 'all unfinished ones, whatever their age; those being written now are spared')
    .option('--type <entity...>', 'only these upload types, by the name of their entity')
    .option('--keep-records', 'delete the bytes, keep the rows: their ids then answer 410')
    .option('--limit <number>', 'at most this many', parseCount)
    .option('--dry-run', 'only count')
    .option('--json', 'print the report as JSON')
    .action(async (flags: CleanupFlags) => {
      const app = await open();
      try {
        const report = await app.get(UploadCleanup, { strict: false }).run(optionsOf(flags));
        console.log(flags.json ? JSON.stringify(report) : describe(report));
        if (report.failures > 0) process.exitCode = 1;
      } finally {
        await app.close();
      }
    });
}

function optionsOf({
  olderThan,
  type,
  unfinished,
  keepRecords,
  dryRun,
  limit,
  json,
}: CleanupFlags): CleanupOptions {
  return {
    ...(olderThan !== undefined && { olderThan: new Date(Date.now() - olderThan) }),
    ...(type && { types: type }),
    ...(unfinished && { unfinished }),
    ...(keepRecords && { keepRecords }),
    ...(dryRun && { dryRun }),
    ...(limit !== undefined && { limit }),
    ...(!json && { onProgress: showProgress }),
  };
}

/** On a terminal, on one line that is written again; logs need no progress. */
function showProgress({ rows }: CleanupReport): void {
  if (process.stderr.isTTY && rows > 0) process.stderr.write(`\r${rows} uploads deleted …\r`);
}

function describe({ dryRun, types }: CleanupReport): string {
  return Object.entries(types)
    .map(([name, { rows, bytes, failures }]) => {
      const failed = failures > 0 ? `, ${failures} could not be deleted and will be tried again` : '';
      return `${name}: ${rows} uploads (${bytes} bytes) ${dryRun ? 'would be deleted' : 'deleted'}${failed}`;
    })
    .join('\n');
}

/** A duration with its unit, in milliseconds. */
export function parseDuration(value: string): number {
  const parsed: number | undefined = /^\d+$/.test(value) ? undefined : ms(value as StringValue);
  if (parsed !== undefined && parsed >= 0) return parsed;
  throw new InvalidArgumentError("Write a duration with its unit, like '90m', '12h' or '3d'.");
}

function parseCount(value: string): number {
  if (/^\d{1,9}$/.test(value) && Number(value) > 0) return Number(value);
  throw new InvalidArgumentError('Write a whole number above 0.');
}
