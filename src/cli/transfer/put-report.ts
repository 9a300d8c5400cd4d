import { size, visible } from '../text.js';
import type { Unusable } from './local-files.js';
import { describePut, unusableOutcome, type PutOutcome } from './put-run.js';
import type { TransferBoard } from './transfer-board.js';
import { percentOf } from './transfer-line.js';

/** How the outcomes are told. */
export interface ReportFlags {
  readonly quiet?: boolean;
  readonly json?: boolean;
  /** Whether a later run can go on where this one ends. */
  readonly isResumable: boolean;
}

/** Tells what became of each file as soon as it is known, and of all at the end. */
export class PutReport {
  private readonly counts = { done: 0, failed: 0 };
  private readonly interrupted: PutOutcome[] = [];

  constructor(
    private readonly board: TransferBoard,
    private readonly flags: ReportFlags,
  ) {}

  get failures(): number {
    return this.counts.failed;
  }

  add(outcome: PutOutcome): void {
    const { status, file, error } = outcome;
    if (this.flags.json) this.board.print(JSON.stringify(outcome));
    if (status === 'interrupted') this.interrupted.push(outcome);
    else if (status === 'failed') this.failed(file, error?.message ?? '');
    else {
      this.counts.done++;
      if (!this.flags.json && !this.flags.quiet) this.board.print(describePut(outcome));
    }
  }

  addUnusable({ path, code, message }: Unusable): void {
    if (this.flags.json) {
      this.board.print(JSON.stringify(unusableOutcome({ path, code, message })));
    }
    this.failed(path, message);
  }

  /** The last words. */
  close(files: number, isInterrupted: boolean): void {
    this.board.close();
    const { done, failed } = this.counts;
    if (isInterrupted) this.sayWhatIsKept(files);
    else if (files > 1 && failed > 0) {
      console.error(`${done} of ${files} files are uploaded. The same command tries the others again.`);
    } else if (files > 1 && !this.flags.quiet && !this.flags.json)
      console.error(`${done} files are uploaded.`);
  }

  private failed(file: string, message: string): void {
    this.counts.failed++;
    this.board.warn(`${visible(file)}: ${visible(message)}`);
  }

  private sayWhatIsKept(files: number): void {
    const { isResumable } = this.flags;
    const kept = this.interrupted.filter(({ url }) => url !== null);
    console.error(files > 1 ? `Stopped. ${this.counts.done} of ${files} files are uploaded.` : 'Stopped.');
    if (!isResumable) {
      if (kept.length > 0)
        console.error('What is unfinished cannot be gone on with; the server deletes it when it expires.');
      return;
    }
    for (const { file, offset, size: sizeBytes } of kept) {
      const part =
        sizeBytes === null ? '' : ` of ${size(sizeBytes)}, ${percentOf({ doneBytes: offset, sizeBytes })}`;
      console.error(`  ${visible(file)}: the server keeps at least ${size(offset)}${part}`);
    }
    console.error('Run the same command again to go on.');
  }
}
