import type { ChunkWindow } from '../../engine/chunk-window.js';
import type { Caller, CreateCommand } from '../../engine/upload-commands.js';
import { UploadError } from '../../errors/upload-error.js';
import type { HttpExchange } from './http-exchange.js';
import type { OpenChunk } from './chunk-request.js';

/** A creating request as the engine wants it. @throws UploadError `malformed_request` for a key that is none. */
export function createCommand(
  exchange: HttpExchange,
  caller: Caller,
  window: ChunkWindow | null,
  { body, description, late }: OpenChunk,
): CreateCommand {
  return { caller, window, body, description, late, idempotencyKey: idempotencyKeyOf(exchange) };
}

/** The client's own name for a creating request (draft-ietf-httpapi-idempotency-key-header). */
function idempotencyKeyOf(exchange: HttpExchange): string | undefined {
  const key = exchange.header('idempotency-key');
  if (key === undefined || /^[\x21-\x7e]{1,255}$/.test(key)) return key;
  throw new UploadError(
    'malformed_request',
    'Idempotency-Key must be 1 to 255 printable ASCII characters, no blanks.',
  );
}
