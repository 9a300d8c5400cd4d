import { parseArgs } from 'node:util';
import bytes from 'bytes';

const USAGE = `npm run bench -- [options]

  --rounds <n>         interleaved rounds (5)
  --size <size>        of the big files (1gb)
  --only <text>        tables whose name contains the text; may be repeated
  --contender <text>   contenders whose name contains the text, and the baselines; may be repeated
  --print              print the tables instead of writing bench/RESULTS.md and bench/results.json`;

export interface BenchOptions {
  readonly rounds: number;
  readonly sizeBytes: number;
  readonly isChosen: (experiment: string) => boolean;
  readonly isContender: (name: string) => boolean;
  /** Folder of the files to write; null to print. */
  readonly out: URL | null;
}

/** Reads the command line; ends the process where there is nothing to run. */
export function readOptions(args: string[]): BenchOptions {
  try {
    const { values } = parseArgs({
      args,
      options: {
        rounds: { type: 'string', default: '5' },
        size: { type: 'string', default: '1gb' },
        only: { type: 'string', multiple: true, default: [] },
        contender: { type: 'string', multiple: true, default: [] },
        print: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) throw new Error('');
    const sizeBytes = bytes.parse(values.size);
    const rounds = Number(values.rounds);
    if (!sizeBytes || !Number.isInteger(rounds) || rounds < 1)
      throw new Error('--rounds is a number, --size one like 1gb.');
    return {
      rounds,
      sizeBytes,
      isChosen: (name) => isNamed(name, values.only),
      isContender: (name) => isNamed(name, values.contender) || BASELINES.includes(name),
      out: values.print ? null : new URL('.', import.meta.url),
    };
  } catch (error) {
    console.error(`${(error as Error).message}\n${USAGE}`.trim());
    process.exit(2);
  }
}

const BASELINES = ['bare: writev', 'bare: busboy', 'bare: busboy, chunks', 'tus: nest'];

function isNamed(name: string, texts: readonly string[]): boolean {
  return texts.length === 0 || texts.some((text) => name.includes(text));
}
