import { Readable } from 'node:stream';

/** What may wait for a client to read it, in bytes. */
const MAX_WAITING_BYTES = 1024 * 1024;

/** How long a client waits before it comes back, in milliseconds. */
const RETRY_MS = 2_000;

/** An event as it goes to clients (HTML standard, section 9.2.5). */
export function eventText(event: string, data: unknown): string {
  // JSON has no line breaks of its own, so one line is enough.
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** Keeps proxies from ending a connection on which nothing happens. */
export const HEARTBEAT = ':\n\n';

/** Server-sent events for one client. */
export class EventStream extends Readable {
  readonly openedAt = Date.now();

  constructor() {
    super();
    // At once: a browser takes a connection for open when the first bytes are there.
    this.push(`retry: ${RETRY_MS}\n\n`);
  }

  /** Bytes come when there is news, not when the client is ready. */
  override _read(): void {}

  /** A client that sleeps is dropped, and comes back when it wakes, instead of having all it missed kept in memory. */
  send(text: string): void {
    if (this.destroyed || this.readableEnded) return;
    if (this.readableLength > MAX_WAITING_BYTES) this.destroy();
    else this.push(text);
  }

  /** Lets the client have what waits, and no more. */
  finish(): void {
    if (!this.destroyed) this.push(null);
  }
}
