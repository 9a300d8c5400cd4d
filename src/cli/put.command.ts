import { type Command, Option } from 'commander';
import { defaultFolder, FileStore } from '../client/file.store.js';
import type { ChunkedUploadOptions } from '../client/node.js';
import { systemCode } from '../errors/system-code.js';
import { EXIT, EXIT_CODES_HELP } from './exit-code.js';
import { interruptible } from './interruption.js';
import { parseOwner } from './option-parsers.js';
import { visible } from './text.js';
import { inParallel } from './transfer/in-parallel.js';
import { PutJournal } from './transfer/put-journal.js';
import { PutReport } from './transfer/put-report.js';
import { putFile, type PutSettings } from './transfer/put-run.js';
import { planPut, type PutPlan } from './transfer/put-sources.js';
import {
  type AccessFlags,
  addAccessOptions,
  serverAddress,
  type ServerAddress,
} from './transfer/server-access.js';
import { boardStyle, TransferBoard } from './transfer/transfer-board.js';
import { addTransferOptions, parseSize, type TransferFlags } from './transfer/transfer-options.js';

interface PutFlags extends AccessFlags, TransferFlags {
  readonly to: string;
  readonly name?: string;
  readonly owner?: { readonly type: string; readonly id: string };
  readonly checksum: 'auto' | 'md5' | 'sha256' | 'none';
  readonly chunkSize?: number;
  readonly hidden?: boolean;
  readonly resume: boolean;
}

/** Adds `put`, which needs no app. Exits 1 when a file could not be uploaded. */
export function addPutCommand(program: Command): void {
  const command = program
    .command('put')
    .description(
      'upload files, folders or standard input to a server; the same command goes on where one was stopped',
    )
    .argument('<file...>', 'files, folders with all that is in them, or - for standard input')
    .requiredOption('--to <url>', 'route of the uploads, like https://example.com/upload')
    .option('--name <filename>', 'file name on the server, for one file or standard input')
    .option('--hidden', 'also what begins with a dot in folders')
    .option('--owner <type:id>', 'what the uploads belong to', parseOwner)
    .addOption(
      new Option('--checksum <algorithm>', 'compared by the server; auto is what it asks for')
        .choices(['auto', 'md5', 'sha256', 'none'])
        .default('auto'),
    )
    .option('--chunk-size <size>', "like '8mb' (default: what takes some seconds, 1mb to 64mb)", parseSize)
    .option('--no-resume', 'neither go on with an earlier run nor remember this one');
  addTransferOptions(addAccessOptions(command))
    .addHelpText('after', EXIT_CODES_HELP)
    .action(async (names: readonly string[], flags: PutFlags) => {
      const address = serverAddress(flags.to, flags, process.env);
      const plan = await planPut(names, flags);
      const board = new TransferBoard(boardStyle(flags.quiet ?? false));
      const isResumable = flags.resume && plan.sources.every(({ local }) => local !== null);
      const journal = isResumable ? await openJournal(names, { address, flags, board }) : null;
      await interruptible(async (signal) => {
        const settings = { client: { ...clientOptions(address, flags), signal }, board, journal };
        const report = new PutReport(board, { ...flags, isResumable: journal !== null });
        await putAll(plan, settings, { report, parallel: flags.parallel });
        if (report.failures > 0) process.exitCode = EXIT.failure;
        else if (!signal.aborted) await journal?.remove();
      });
    });
}

async function putAll(
  { sources, unusable, skipped, totalBytes }: PutPlan,
  settings: PutSettings,
  { report, parallel }: { readonly report: PutReport; readonly parallel: number },
): Promise<void> {
  const { board, client } = settings;
  board.expect({ files: sources.length, bytes: totalBytes });
  for (const problem of unusable) report.addUnusable(problem);
  if (skipped > 0)
    board.warn(`${skipped} entries of folders left out: links, devices, or hidden (--hidden).`);
  await inParallel(sources, parallel, async (source) => {
    if (!client.signal.aborted) report.add(await putFile(source, settings));
  });
  report.close(sources.length + unusable.length, client.signal.aborted);
}

function clientOptions({ url, headers, userName }: ServerAddress, flags: PutFlags): ChunkedUploadOptions {
  return {
    endpoint: url,
    headers,
    checksum: flags.checksum === 'none' ? false : flags.checksum,
    retry: { maxAttempts: flags.retries + 1 },
    ...(flags.owner && { owner: flags.owner }),
    ...(flags.chunkSize !== undefined && { chunkBytes: flags.chunkSize }),
    ...(userName !== null && { userId: userName }),
    store: flags.resume && new FileStore(),
  };
}

/** Null where nothing can be remembered, such as without a home: files can be uploaded all the same. */
async function openJournal(
  names: readonly string[],
  { address, flags, board }: { address: ServerAddress; flags: PutFlags; board: TransferBoard },
): Promise<PutJournal | null> {
  const { owner, name, hidden } = flags;
  const folder = defaultFolder();
  try {
    return await PutJournal.open(folder, [address.url.href, address.userName, owner, name, hidden, names]);
  } catch (error) {
    const code = systemCode(error);
    if (code === undefined) throw error;
    board.warn(`Nothing can be remembered in ${visible(folder)} (${code}): if stopped, this begins anew.`);
    return null;
  }
}
