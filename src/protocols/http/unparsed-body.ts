import type { IncomingMessage } from 'node:http';

/** A type no parser knows but the one that leaves the body alone. */
export const UNPARSED = 'application/vnd.chunked-upload.unparsed';

const originals = new WeakMap<IncomingMessage, string | null>();
const awaitingContinue = new WeakSet<IncomingMessage>();

/** Hides what a body says it is from the parsers ahead of our routes: a chunk of JSON is bytes. */
export function hideContentType(request: IncomingMessage): void {
  if (originals.has(request)) return;
  originals.set(request, request.headers['content-type'] ?? null);
  request.headers['content-type'] = UNPARSED;
}

/** Shows it again, to the door. */
export function restoreContentType(request: IncomingMessage): void {
  const original = originals.get(request);
  if (original === undefined) return;
  originals.delete(request);
  if (original === null) delete request.headers['content-type'];
  else request.headers['content-type'] = original;
}

/** Notes that the client waits for `100 Continue` before it sends the body (RFC 9110 section 10.1.1). */
export function markAwaitingContinue(request: IncomingMessage): void {
  awaitingContinue.add(request);
}

/** Whether the client was still waiting for `100 Continue`; true once. */
export function takeAwaitingContinue(request: IncomingMessage): boolean {
  return awaitingContinue.delete(request);
}
