import bytes from 'bytes';
import { type Command, InvalidArgumentError } from 'commander';
import { parseCount } from '../option-parsers.js';

/** Options that every transfer has. */
export interface TransferFlags {
  readonly parallel: number;
  readonly retries: number;
  readonly quiet?: boolean;
  readonly json?: boolean;
}

const DEFAULT_PARALLEL = 3;
const DEFAULT_RETRIES = 9;

/** Adds the options of {@link TransferFlags}. */
export function addTransferOptions(command: Command): Command {
  return command
    .option('--parallel <number>', 'so many files at a time', parseCount, DEFAULT_PARALLEL)
    .option(
      '--retries <number>',
      'try again so often without progress in between',
      parseWhole,
      DEFAULT_RETRIES,
    )
    .option('-q, --quiet', 'print errors alone')
    .option('--json', 'print a JSON object per file, each on a line of its own');
}

/** A size such as `8mb`, in bytes, above 0. @throws InvalidArgumentError */
export function parseSize(value: string): number {
  const parsed = /^\d+(\.\d+)? ?[kmgt]?b$/i.test(value) ? bytes.parse(value) : null;
  if (parsed !== null && Number.isSafeInteger(parsed) && parsed > 0) return parsed;
  throw new InvalidArgumentError("Write a size with its unit, like '8mb'.");
}

function parseWhole(value: string): number {
  if (/^\d{1,9}$/.test(value)) return Number(value);
  throw new InvalidArgumentError('Write a whole number, 0 or more.');
}
