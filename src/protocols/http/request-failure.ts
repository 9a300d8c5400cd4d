import type { IncomingMessage } from 'node:http';

/**
 * Why no `end` will come from this request, whatever is listened to: it was read before, or its connection is gone.
 * Null where it can still be read.
 */
export function whyUnreadable(request: IncomingMessage): Error | null {
  if (request.readableEnded) return new Error('The body of the request has already been read.');
  return request.destroyed ? (request.errored ?? connectionBroke()) : null;
}

/** What Node raises when a client goes away, for the cases in which it raises nothing. */
export function connectionBroke(): Error {
  return Object.assign(new Error('aborted'), { code: 'ECONNRESET' });
}
