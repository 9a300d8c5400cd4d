/** Older bytes count for less: after this long, about a third. */
const MEMORY_MS = 5000;
/** Shorter spans say more about buffers than about the line. */
const SPAN_MS = 200;

/** Bytes per second, smoothed. */
export class RateMeter {
  bytesPerSecond: number | null = null;
  #last: { bytes: number; at: number } | null = null;

  /** @param bytes counted from the beginning of the file; when it shrinks, something has to be sent again. */
  measure(bytes: number, now = Date.now()): void {
    const last = this.#last;
    if (last !== null && bytes >= last.bytes) {
      const ms = now - last.at;
      if (ms < SPAN_MS) return;
      const rate = ((bytes - last.bytes) / ms) * 1000;
      const before = this.bytesPerSecond ?? rate;
      this.bytesPerSecond = rate + (before - rate) * Math.exp(-ms / MEMORY_MS);
    }
    this.#last = { bytes, at: now };
  }

  /** Nothing is sent for a while; the rate of before does not count. */
  rest(): void {
    this.#last = null;
    this.bytesPerSecond = null;
  }
}
