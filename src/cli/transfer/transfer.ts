import { RateMeter } from '../../client/rate-meter.js';

/** How far something came, for people. */
export interface TransferView {
  readonly name: string;
  readonly doneBytes: number;
  /** Null while unknown. */
  readonly sizeBytes: number | null;
  /** Null until there is something to measure. */
  readonly bytesPerSecond: number | null;
  /** What it does instead of moving bytes, such as `retry in 5 s`; null while it moves them. */
  readonly note: string | null;
}

/** One running file: whoever moves its bytes says how far it is, and the board looks at it. */
export class Transfer {
  note: string | null = null;
  private doneBytes = 0;
  private firstByte = 0;
  private readonly meter = new RateMeter();

  /** @param name as it is shown, in printable characters; another one may become known. */
  constructor(
    public name: string,
    private sizeBytes: number | null,
  ) {}

  /** Bytes that this run moved; those of a run before are none of them. */
  get movedBytes(): number {
    return Math.max(0, this.doneBytes - this.firstByte);
  }

  /** Goes on at a byte that an earlier run came to, or starts over. */
  startAt(byte: number): void {
    this.firstByte = byte;
    this.doneBytes = byte;
    this.meter.rest();
  }

  progress(doneBytes: number, sizeBytes: number | null): void {
    this.doneBytes = doneBytes;
    this.sizeBytes = sizeBytes;
  }

  /** How far it is now; also the moment at which the rate is measured. */
  view(): TransferView {
    this.meter.measure(this.doneBytes);
    const { name, doneBytes, sizeBytes, note } = this;
    return { name, doneBytes, sizeBytes, note, bytesPerSecond: this.meter.bytesPerSecond };
  }
}
