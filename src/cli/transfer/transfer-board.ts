import { RateMeter } from '../../client/rate-meter.js';
import { systemCode } from '../../errors/system-code.js';
import { columnsOf } from './terminal-text.js';
import { transferLine, transferSentence } from './transfer-line.js';
import { Transfer, type TransferView } from './transfer.js';

const DRAW_MS = 200;
const LOG_MS = 5000;

/** `bars` that move, on a terminal; `lines` from time to time, in a log; `nothing`. */
export type BoardStyle = 'bars' | 'lines' | 'nothing';

/** How progress is shown here. `TERM=dumb` is a terminal that only takes lines. */
export function boardStyle(isQuiet: boolean): BoardStyle {
  if (isQuiet) return 'nothing';
  return process.stderr.isTTY && process.env.TERM !== 'dumb' ? 'bars' : 'lines';
}

/** What the running files are part of. */
interface Whole {
  readonly files: number;
  /** Null where the size of one is unknown. */
  readonly bytes: number | null;
}

/** Progress of several files on stderr; what is printed meanwhile stands above it, and stays. */
export class TransferBoard {
  private readonly running = new Set<Transfer>();
  private readonly meter = new RateMeter();
  private readonly timer: NodeJS.Timeout | undefined;
  private whole: Whole = { files: 1, bytes: null };
  private readonly over = { files: 0, bytes: 0, movedBytes: 0 };
  private drawnLines = 0;

  constructor(private readonly style: BoardStyle) {
    if (style === 'nothing') return;
    this.timer = setInterval(() => this.show(), style === 'bars' ? DRAW_MS : LOG_MS);
    this.timer.unref();
  }

  /** Says how much there is to do in all. */
  expect(whole: Whole): void {
    this.whole = whole;
  }

  begin(name: string, sizeBytes: number | null): Transfer {
    const transfer = new Transfer(name, sizeBytes);
    this.running.add(transfer);
    return transfer;
  }

  /** The file is over, well or not. */
  end(transfer: Transfer): void {
    if (!this.running.delete(transfer)) return;
    this.over.files++;
    this.over.bytes += transfer.view().doneBytes;
    this.over.movedBytes += transfer.movedBytes;
  }

  /** Prints a line that stays, on stdout. */
  print(text: string): void {
    if (process.stdout.listenerCount('error') === 0) process.stdout.on('error', throwUnlessClosed);
    this.above(() => process.stdout.write(`${text}\n`));
  }

  /** Prints a line that stays, on stderr. */
  warn(text: string): void {
    this.above(() => process.stderr.write(`${text}\n`));
  }

  /** Wipes the bars; nothing is drawn any more. */
  close(): void {
    clearInterval(this.timer);
    this.wipe();
  }

  private above(write: () => void): void {
    const wasDrawn = this.drawnLines > 0;
    this.wipe();
    write();
    if (wasDrawn) this.draw();
  }

  private show(): void {
    if (this.style === 'bars') this.draw();
    else if (this.running.size > 0) process.stderr.write(`${transferSentence(this.summary())}\n`);
  }

  private draw(): void {
    // A pseudo-terminal may say that it has none.
    const columns = process.stderr.columns || 80;
    const rows = process.stderr.rows || 24;
    // More lines than the terminal has cannot be reached again, and a line as wide as it would wrap on some.
    const views = [...this.running].map((transfer) => transfer.view()).slice(0, Math.max(1, rows - 2));
    if (this.whole.files > 1) views.push(this.total());
    const nameColumns = Math.max(...views.map(({ name }) => columnsOf(name)));
    const style = { columns: columns - 1, nameColumns, isColoured: !process.env.NO_COLOR };
    const lines = views.map((view) => transferLine(view, style));
    process.stderr.write(
      `${this.homeSequence()}${lines.map((line) => `${line}\u001b[K`).join('\n')}\u001b[J`,
    );
    this.drawnLines = lines.length;
  }

  private wipe(): void {
    if (this.drawnLines > 0) process.stderr.write(`${this.homeSequence()}\u001b[J`);
    this.drawnLines = 0;
  }

  /** Back to where the first line began. */
  private homeSequence(): string {
    return this.drawnLines > 1 ? `\u001b[${this.drawnLines - 1}A\r` : '\r';
  }

  /** What a log is told: of a single file its own line. */
  private summary(): TransferView {
    const [only] = this.running;
    return this.whole.files === 1 && only ? only.view() : this.total();
  }

  private total(): TransferView {
    const sum = (value: (transfer: Transfer) => number) =>
      [...this.running].reduce((total, transfer) => total + value(transfer), 0);
    this.meter.measure(this.over.movedBytes + sum(({ movedBytes }) => movedBytes));
    return {
      name: `${this.over.files} of ${this.whole.files} files`,
      doneBytes: this.over.bytes + sum((transfer) => transfer.view().doneBytes),
      sizeBytes: this.whole.bytes,
      bytesPerSecond: this.meter.bytesPerSecond,
      note: null,
    };
  }
}

/** Whoever reads may leave, as `head` does; the files go on all the same. */
function throwUnlessClosed(error: Error): void {
  if (systemCode(error) !== 'EPIPE') throw error;
}
