import type { INestApplicationContext } from '@nestjs/common';
import { type Command, Option } from 'commander';
import { CleanupReview } from '../cleanup/cleanup-review.js';
import { type CleanupOptions, type CleanupReport, UploadCleanup } from '../cleanup/upload-cleanup.js';
import { cleanByDialog, type DialogReport } from './cleanup-dialog.js';
import { Dialog } from './dialog.js';
import { EXIT, EXIT_CODES_HELP } from './exit-code.js';
import { interruptible } from './interruption.js';
import { type OpenApp, withApp } from './open-app.js';
import { parseCount, parseDuration } from './option-parsers.js';
import { ProgressLine } from './progress-line.js';
import { typesOf } from './upload-lookup.js';
import { type TypedUpload, uploadJson, uploadTable } from './upload-view.js';

interface CleanupFlags {
  readonly olderThan?: number;
  readonly type?: string[];
  readonly unfinished?: boolean;
  readonly keepRecords?: boolean;
  readonly interactive?: boolean;
  readonly dryRun?: boolean;
  readonly verbose?: boolean;
  readonly limit?: number;
  readonly json?: boolean;
}

/** What a cleanup did, and of a dry run the uploads it is about. */
type Outcome = (CleanupReport | DialogReport) & { readonly uploads?: readonly TypedUpload[] };

/** Adds `cleanup`. Exits 1 when an upload could not be deleted or nothing could be done. */
export function addCleanupCommand(program: Command, open: OpenApp): void {
  program
    .command('cleanup')
    .description(
      'delete unfinished uploads that have expired, rows and bytes; complete ones are never touched, unless what they ' +
        'belong to was deleted',
    )
    .addOption(
      new Option('--older-than <duration>', "those without activity for this long instead, e.g. '3d'")
        .argParser(parseDuration)
        .conflicts('unfinished'),
    )
    .option('-u, --unfinished', 'all unfinished ones, whatever their age; those being written now are spared')
    .option('--type <entity...>', 'only these upload types, by the name of their entity')
    .option('-k, --keep-records', 'delete the bytes, keep the rows: their ids then answer 410')
    .addOption(new Option('--keep-record', 'the same').implies({ keepRecords: true }))
    .addOption(
      new Option('-i, --interactive', 'ask about each one: yes, no, all (the rest), quit').conflicts(
        'dryRun',
      ),
    )
    .option('--limit <number>', 'at most this many', parseCount)
    .option('--dry-run', 'delete nothing, only count; with --verbose or --json list them')
    .option('--verbose', 'list what --dry-run is about')
    .option('--json', 'print the report as JSON')
    .addHelpText('after', EXIT_CODES_HELP)
    .action(async (flags: CleanupFlags) => {
      if (flags.interactive) Dialog.require('Leave --interactive out to clean up without questions.');
      const outcome = await withApp(open, (app) => clean(app, flags));
      console.log(flags.json ? asJson(outcome) : describe(outcome));
      if (outcome.failures > 0) process.exitCode = EXIT.failure;
    });
}

async function clean(app: INestApplicationContext, flags: CleanupFlags): Promise<Outcome> {
  const types = typesOf(app, flags.type);
  const options = optionsOf(flags);
  if (flags.interactive) return cleanByDialog(types, options);
  const line = new ProgressLine();
  const onProgress = ({ rows }: CleanupReport) => line.show(`${rows} uploads deleted …`);
  const report = await interruptible((signal) =>
    app.get(UploadCleanup, { strict: false }).run({ ...options, signal, onProgress }),
  );
  line.clear();
  if (!flags.dryRun || !(flags.verbose || flags.json)) return report;
  const uploads: TypedUpload[] = [];
  for await (const due of new CleanupReview(types).due(options)) uploads.push(due);
  return { ...report, uploads };
}

function optionsOf({ olderThan, type, ...flags }: CleanupFlags): CleanupOptions {
  return {
    ...(olderThan !== undefined && { olderThan: new Date(Date.now() - olderThan) }),
    ...(type && { types: type }),
    ...(flags.unfinished && { unfinished: true }),
    ...(flags.keepRecords && { keepRecords: true }),
    ...(flags.dryRun && { dryRun: true }),
    ...(flags.limit !== undefined && { limit: flags.limit }),
  };
}

function asJson({ uploads, ...report }: Outcome): string {
  return JSON.stringify({ ...report, ...(uploads && { uploads: uploads.map(uploadJson) }) });
}

function describe(outcome: Outcome): string {
  const { dryRun, types, uploads } = outcome;
  const lines = Object.entries(types).map(([name, { rows, bytes, failures }]) => {
    const failed = failures > 0 ? `, ${failures} could not be deleted and will be tried again` : '';
    return `${name}: ${rows} uploads (${bytes} bytes) ${dryRun ? 'would be deleted' : 'deleted'}${failed}`;
  });
  if ('kept' in outcome) lines.push(`${outcome.kept} kept on purpose`);
  if (uploads && uploads.length > 0) lines.unshift(uploadTable(uploads), '');
  return lines.join('\n');
}
