import { stat } from 'node:fs/promises';
import type { Command } from 'commander';
import { EXIT, EXIT_CODES_HELP, UsageError } from './exit-code.js';
import { interruptible } from './interruption.js';
import { visible } from './text.js';
import { describeDownload, type Destination, getFile, type GetOutcome } from './transfer/get-run.js';
import { inParallel } from './transfer/in-parallel.js';
import { type AccessFlags, addAccessOptions, serverAddress } from './transfer/server-access.js';
import { boardStyle, TransferBoard } from './transfer/transfer-board.js';
import { addTransferOptions, type TransferFlags } from './transfer/transfer-options.js';

interface GetFlags extends AccessFlags, TransferFlags {
  readonly output?: string;
  readonly force?: boolean;
}

/** Adds `get`, which needs no app. Exits 1 when a file could not be downloaded or is not as it was uploaded. */
export function addGetCommand(program: Command): void {
  const command = program
    .command('get')
    .description('download complete uploads from a server, and compare them with their checksums')
    .argument('<url...>', 'of uploads, or of their content')
    .option(
      '-o, --output <path>',
      'a file or a folder; - for standard output (default: the name it was uploaded by)',
    )
    .option('-f, --force', 'replace existing files');
  addTransferOptions(addAccessOptions(command))
    .addHelpText('after', EXIT_CODES_HELP)
    .action(async (urls: readonly string[], flags: GetFlags) => {
      const addresses = urls.map((url) => serverAddress(url, flags, process.env));
      const destination = await destinationOf(flags, urls.length);
      const board = new TransferBoard(boardStyle(flags.quiet ?? false));
      board.expect({ files: urls.length, bytes: null });
      const { retries, force: isForced = false } = flags;
      await interruptible(async (signal) => {
        const settings = { destination, isForced, retries, signal, board };
        await inParallel(addresses, flags.parallel, async (address) => {
          if (!signal.aborted) report(await getFile(address, settings), board, flags);
        }).finally(() => board.close());
      });
    });
}

async function destinationOf({ output, json }: GetFlags, files: number): Promise<Destination> {
  if (output === undefined) return { folder: '.' };
  if (output === '-' && json)
    throw new UsageError('Standard output is for the file or for --json, not for both.');
  if (output !== '-' && (await isFolder(output))) return { folder: output };
  if (files > 1) throw new UsageError('Several files do not go into one: name a folder that is there.');
  return output === '-' ? { isStdout: true } : { file: output };
}

function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (entry) => entry.isDirectory(),
    () => false,
  );
}

function report(outcome: GetOutcome, board: TransferBoard, { json, quiet }: GetFlags): void {
  const { status, url, error, part, path } = outcome;
  if (json) board.print(JSON.stringify(outcome));
  const kept = part === null ? '' : ` What arrived is kept in ${visible(part)}.`;
  if (status === 'failed') {
    board.warn(`${visible(url)}: ${visible(error?.message ?? '')}${kept}`);
    process.exitCode = EXIT.failure;
  } else if (status === 'interrupted') {
    board.warn(`${visible(url)}: stopped.${kept}${kept && ' The same command goes on with it.'}`);
  } else if (!json && !quiet) {
    const say = (text: string) => (path === null ? board.warn(text) : board.print(text));
    say(describeDownload(outcome));
  }
}
