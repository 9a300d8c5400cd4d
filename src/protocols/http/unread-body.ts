import { type HttpExchange } from './http-exchange.js';
import { takeAwaitingContinue } from './unparsed-body.js';

/** How much of a refused body is thrown away before the connection is. */
const DISCARD_BYTES = 64 * 1024 * 1024;
const DISCARD_MS = 10_000;

/**
 * Sees to the rest of a body that nobody wants, so that the client reads the answer instead of a reset connection:
 * a moderate rest is read and thrown away, a client that waits for `100 Continue` keeps it, a long one is cut off.
 */
export function discardUnreadBody({ incoming, outgoing }: HttpExchange): void {
  if (takeAwaitingContinue(incoming)) {
    if (!outgoing.headersSent) outgoing.setHeader('Connection', 'close');
    return;
  }
  if (incoming.readableEnded || incoming.destroyed) return;
  let left = DISCARD_BYTES;
  const cutOff = () => incoming.destroy();
  const timer = setTimeout(cutOff, DISCARD_MS).unref();
  incoming.on('data', (bytes: Buffer) => {
    left -= bytes.length;
    if (left < 0) cutOff();
  });
  incoming.on('error', () => undefined);
  incoming.once('close', () => clearTimeout(timer));
  incoming.resume();
}
