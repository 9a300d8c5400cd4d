import type { Command } from 'commander';
import { UploadVerification, type Verdict, type VerifiedUpload } from '../cleanup/upload-verification.js';
import { EXIT, EXIT_CODES_HELP, UsageError } from './exit-code.js';
import { interruptible } from './interruption.js';
import { type OpenApp, withApp } from './open-app.js';
import { collectIds } from './option-parsers.js';
import { ProgressLine } from './progress-line.js';
import { size, visible } from './text.js';
import { typesOf } from './upload-lookup.js';

interface VerifyFlags {
  readonly all?: boolean;
  readonly type?: string[];
  readonly json?: boolean;
}

/** What a verification found; of what is as it should be only the number. */
interface VerifyReport {
  intact: number;
  /** Of the right size, without a checksum to compare. */
  unchecked: number;
  bytes: number;
  readonly damaged: VerifiedUpload[];
  interrupted: boolean;
}

/** Adds `verify`. Exits 1 when a file is not as it was completed, or an id is no complete upload's. */
export function addVerifyCommand(program: Command, open: OpenApp): void {
  program
    .command('verify')
    .description('read complete files again and compare them with the checksums they were completed with')
    .argument('[id...]', 'which uploads, whatever their types', collectIds)
    .option('--all', 'all complete uploads')
    .option('--type <entity...>', 'with --all: of these upload types, by the name of their entity')
    .option('--json', 'print the report as JSON')
    .addHelpText('after', EXIT_CODES_HELP)
    .action(async (ids: readonly string[] | undefined, flags: VerifyFlags) => {
      if ((ids?.length ?? 0) > 0 === (flags.all ?? false)) throw new UsageError('Name ids, or say --all.');
      if (flags.type && !flags.all) throw new UsageError('--type is for --all; an id says its type.');
      const report = await withApp(open, (app) =>
        interruptible((signal) => verify(typesOf(app, flags.type), ids, { ...flags, signal })),
      );
      console.log(flags.json ? JSON.stringify(report) : describe(report));
      if (report.damaged.length > 0 && !report.interrupted) process.exitCode = EXIT.failure;
    });
}

async function verify(
  types: ReturnType<typeof typesOf>,
  ids: readonly string[] | undefined,
  { json, all, signal }: VerifyFlags & { readonly signal: AbortSignal },
): Promise<VerifyReport> {
  const report: VerifyReport = { intact: 0, unchecked: 0, bytes: 0, damaged: [], interrupted: false };
  const line = new ProgressLine();
  const startedAt = Date.now();
  const onBytes = (bytes: number) => {
    report.bytes += bytes;
    const rate = report.bytes / Math.max(0.001, (Date.now() - startedAt) / 1000);
    line.show(`${report.intact} files intact, ${size(report.bytes)} read, ${size(Math.round(rate))}/s …`);
  };
  const verification = new UploadVerification(types);
  const run = all ? verification.all({ signal, onBytes }) : verification.some(ids ?? [], { signal, onBytes });
  for await (const upload of run) {
    if (upload.verdict === 'intact' || upload.verdict === 'unchecked') {
      report[upload.verdict]++;
      continue;
    }
    report.damaged.push(upload);
    line.clear();
    if (!json) console.log(`${upload.id}  ${SAID[upload.verdict]}${nameOf(upload)}`);
  }
  line.clear();
  return { ...report, interrupted: signal.aborted };
}

const SAID: Readonly<Record<Exclude<Verdict, 'intact' | 'unchecked'>, string>> = {
  changed: 'CHANGED: the bytes are not those that were completed',
  missing: 'MISSING: the bytes are gone',
  unreadable: 'UNREADABLE: the storage answers with an error',
  incomplete: 'not complete yet, so there is nothing to compare',
  unknown: 'there is no such upload',
};

function nameOf({ filename, type }: VerifiedUpload): string {
  return filename === null ? '' : ` (${type} "${visible(filename)}")`;
}

function describe({ intact, unchecked, bytes, damaged, interrupted }: VerifyReport): string {
  const without = unchecked > 0 ? `, ${unchecked} without a checksum and of the right size` : '';
  const bad = damaged.length > 0 ? `, ${damaged.length} not` : '';
  return `${intact} files intact (${size(bytes)} read)${without}${bad}${interrupted ? '; interrupted, the rest was not read' : ''}`;
}
