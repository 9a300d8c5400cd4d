import { type Command, Option } from 'commander';
import type { UploadStatus } from '../persistence/abstract-chunked-upload.entity.js';
import { EXIT_CODES_HELP } from './exit-code.js';
import { type OpenApp, withApp } from './open-app.js';
import { parseCount, parseOwner } from './option-parsers.js';
import { typesOf } from './upload-lookup.js';
import { type TypedUpload, uploadJson, uploadTable } from './upload-view.js';

const DEFAULT_LIMIT = 50;
const STATUSES: readonly UploadStatus[] = ['uploading', 'completing', 'complete', 'deleting', 'failed'];

interface ListFlags {
  readonly type?: string[];
  readonly status?: UploadStatus;
  readonly user?: string;
  readonly owner?: { type: string; id: string };
  readonly limit: number;
  readonly json?: boolean;
}

/** Adds `list`. */
export function addListCommand(program: Command, open: OpenApp): void {
  program
    .command('list')
    .description('list uploads, newest first, whoever they belong to; expired ones and kept records too')
    .option('--type <entity...>', 'only these upload types, by the name of their entity')
    .addOption(new Option('--status <status>', 'only those in this state').choices(STATUSES))
    .option('--user <id>', 'only those of this user')
    .option('--owner <type:id>', 'only those of this domain object', parseOwner)
    .option('--limit <number>', 'at most this many', parseCount, DEFAULT_LIMIT)
    .option('--json', 'print an array of JSON objects')
    .addHelpText('after', EXIT_CODES_HELP)
    .action(async (flags: ListFlags) => {
      const { uploads, isCut } = await withApp(open, (app) => find(typesOf(app, flags.type), flags));
      if (flags.json) console.log(JSON.stringify(uploads.map(uploadJson)));
      else console.log(uploads.length > 0 ? uploadTable(uploads) : 'No uploads.');
      if (isCut) console.error(`There are more; --limit ${flags.limit * 10} shows up to ten times as many.`);
    });
}

/** The newest of each type, one more than wanted to know whether there are more, then the newest of them all. */
async function find(
  types: ReturnType<typeof typesOf>,
  { status, user, owner, limit }: ListFlags,
): Promise<{ uploads: TypedUpload[]; isCut: boolean }> {
  const filter = {
    limit: limit + 1,
    ...(status && { status }),
    ...(user !== undefined && { userId: user }),
    ...(owner && { owner }),
  };
  const found: TypedUpload[] = [];
  for (const type of types) {
    const { inspection } = type.engine.context.repositories;
    found.push(...(await inspection.list(filter)).map((upload) => ({ type, upload })));
  }
  found.sort((a, b) => b.upload.createdAt.getTime() - a.upload.createdAt.getTime());
  return { uploads: found.slice(0, limit), isCut: found.length > limit };
}
