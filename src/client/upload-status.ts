import { Emitter } from './emitter.js';
import { RateMeter } from './rate-meter.js';
import type { UploadEvents } from './upload-events.js';
import type { UploadProgress, UploadState } from './upload-state.js';

/** Progress is told no more often than this. */
const REPORT_EVERY_MS = 100;

/** What is known of an upload, and who is told. Whoever works on the upload writes it. */
export class UploadStatus extends Emitter<UploadEvents> {
  state: UploadState = 'idle';
  /** Acknowledged bytes. */
  offset = 0;
  /** Bytes of the chunk on its way that went out. */
  inFlight = 0;
  size: number | null = null;
  #meter = new RateMeter();
  #reportedAt = 0;

  /** @param url null until there is one. */
  constructor(public url: string | null) {
    super();
  }

  get progress(): UploadProgress {
    const { state, offset, inFlight, size } = this;
    const bytesSent = offset + inFlight;
    // Also when nothing moves: the rate of a line that is dead goes down.
    if (state === 'uploading') this.#meter.measure(bytesSent);
    const { bytesPerSecond } = this.#meter;
    const secondsLeft = size !== null && bytesPerSecond ? (size - bytesSent) / bytesPerSecond : null;
    return { state, bytesSent, offset, size, bytesPerSecond, secondsLeft };
  }

  /** Nothing comes after `cancelled`. */
  enter(state: UploadState): void {
    if (this.state === state || this.state === 'cancelled') return;
    this.state = state;
    this.#meter.rest();
    this.emit('statechange', state);
    this.emit('progress', this.progress);
  }

  /** More bytes went out, were acknowledged, or have to be sent again. */
  move(offset: number, inFlight: number): void {
    this.offset = offset;
    this.inFlight = inFlight;
    const now = Date.now();
    if (inFlight > 0 && now - this.#reportedAt < REPORT_EVERY_MS) return;
    this.#reportedAt = now;
    this.emit('progress', this.progress);
  }
}
