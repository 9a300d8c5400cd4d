import { type Command, InvalidArgumentError, Option } from 'commander';
import { DataSource } from 'typeorm';
import { canAdopt } from '../storage/file-import.js';
import type { UploadType } from '../upload-type.js';
import { UploadTypes } from '../upload-types.js';
import { DjangoImport, type DjangoImportOptions, type ImportReport } from './django/django-import.js';
import { LAYOUT_NAMES, type LayoutName } from './django/django-layout.js';
import { DjangoTable } from './django/django-table.js';
import { MediaFolder } from './django/media-folder.js';
import { EXIT, EXIT_CODES_HELP, UsageError } from './exit-code.js';
import { interruptible } from './interruption.js';
import { type OpenApp, withApp } from './open-app.js';
import { ProgressLine } from './progress-line.js';

interface ImportFlags {
  readonly from: string;
  readonly media: string;
  readonly table?: string;
  readonly layout: LayoutName | 'auto';
  readonly userColumn?: string;
  readonly type?: string;
  readonly owner: ReadonlyMap<string, string>;
  readonly completeOnly?: boolean;
  readonly link?: boolean;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

/** Adds `import-django`. Exits 1 when an upload could not be imported, or nothing could be done. */
export function addImportDjangoCommand(program: Command, open: OpenApp): void {
  const from = new Option('--from <url>', 'the Django database: postgres://…').env('DJANGO_DATABASE_URL');
  const layout = new Option('--layout <app>', 'the Django app that made the table');
  program
    .command('import-django')
    .description('bring uploads of a Django app here, rows and bytes; can be repeated')
    .addOption(from.makeOptionMandatory())
    .requiredOption('--media <folder>', 'MEDIA_ROOT of the Django app; nothing outside of it is read')
    .option('--table <name>', 'its table (default: the one that the Django app calls so)')
    .addOption(layout.choices(['auto', ...LAYOUT_NAMES]).default('auto'))
    .option('--user-column <name>', 'column of the user (default: user_id or creator_id)')
    .option('--type <entity>', 'the upload type to import into, by the name of its entity')
    .option(
      '--owner <app.model=type>',
      'owner_type here of a content type there (default: the model); repeatable',
      addOwner,
      new Map<string, string>(),
    )
    .option('--complete-only', 'leave unfinished uploads, such as while Django still runs')
    .option('--link', 'link complete files instead of copying them, where they are on the same volume')
    .addOption(new Option('--copy', 'copy all files (default)').conflicts('link'))
    .option('--dry-run', 'only compare rows and files')
    .option('--json', 'print problems as lines of JSON, and the report as JSON')
    .addHelpText('after', EXIT_CODES_HELP)
    .action(async (flags: ImportFlags) => {
      const report = await runImport(flags, open);
      if (flags.json) console.log(JSON.stringify(report));
      else console.log(report ? describe(report) : 'A sweep or another import is running; nothing was done.');
      if (!report || report.problems > 0) process.exitCode = EXIT.failure;
    });
}

async function runImport(flags: ImportFlags, open: OpenApp): Promise<ImportReport | null> {
  const media = await MediaFolder.open(flags.media);
  return withApp(open, async (app) => {
    const types = app.get(UploadTypes, { strict: false });
    const type = typeNamed(types, flags);
    const source = await new DataSource({ type: 'postgres', url: flags.from }).initialize();
    try {
      const table = await DjangoTable.open(source, flags);
      return await interruptible((signal) => {
        const line = new ProgressLine();
        const options = optionsOf(flags, { signal, line });
        return new DjangoImport(types, type, media, options).run(table).finally(() => line.clear());
      });
    } finally {
      await source.destroy();
    }
  });
}

function typeNamed(types: UploadTypes, { type: name, link }: ImportFlags): UploadType {
  const names = [...types].map((type) => type.name);
  const [only] = types;
  const type = name === undefined ? (names.length === 1 ? only : undefined) : types.get(name);
  if (!type) throw new UsageError(`Say which upload type with --type; there are: ${names.join(', ')}.`);
  if (link && !canAdopt(type.engine.context.driver)) {
    throw new UsageError('The storage here cannot link files; leave out --link to copy them.');
  }
  return type;
}

function optionsOf(
  { dryRun, completeOnly, link, owner, json }: ImportFlags,
  { signal, line }: { signal: AbortSignal; line: ProgressLine },
): DjangoImportOptions {
  return {
    dryRun: dryRun ?? false,
    completeOnly: completeOnly ?? false,
    link: link ?? false,
    owners: owner,
    signal,
    onProblem: ({ name }, { reason, message }) => {
      line.clear();
      console.error(json ? JSON.stringify({ id: name, reason, message }) : `${name}: ${message} (${reason})`);
    },
    onProgress: ({ complete, unfinished }) => line.show(`${complete + unfinished} uploads …`),
  };
}

function addOwner(value: string, owners: ReadonlyMap<string, string>): Map<string, string> {
  const [, model, type] = /^([^=]+\.[^=]+)=(.+)$/.exec(value) ?? [];
  if (model && type) return new Map(owners).set(model, type);
  throw new InvalidArgumentError("Write a content type and its owner_type here, like 'shop.person=person'.");
}

function describe(report: ImportReport): string {
  const { dryRun, complete, unfinished, bytes, present, passedOver, withoutFile, problems } = report;
  return [
    `${complete} complete and ${unfinished} unfinished uploads (${bytes} bytes) ${dryRun ? 'would be imported' : 'imported'}`,
    `${present} were here already, ${passedOver} passed over, ${withoutFile} had no file any more`,
    `${problems} could not be imported${problems > 0 ? ': see above' : ''}`,
  ].join('\n');
}
