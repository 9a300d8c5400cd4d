import { UploadError } from '../../errors/upload-error.js';
import { requireUploadId } from '../../engine/upload-id.js';
import { readFields } from './form-body.js';
import type { HttpExchange } from './http-exchange.js';

/**
 * The upload that a request names in its body or, as not every client sends one with a DELETE, in its query.
 * @throws UploadError as `uploadNamedIn` does, and for a body that cannot be read.
 */
export async function readNamedUpload(exchange: HttpExchange, idleTimeoutMs: number): Promise<string> {
  const onAccepted = () => exchange.acceptBody();
  const fields = await readFields(exchange.incoming, { idleTimeoutMs, onAccepted });
  return uploadNamedIn(new Map<string, unknown>([...exchange.queryEntries(), ...fields]));
}

/**
 * The upload that the field `upload_id` names.
 * @throws UploadError `malformed_request` when there is no such field, `not_found` when it holds no id.
 */
export function uploadNamedIn(fields: ReadonlyMap<string, unknown>): string {
  const value = fields.get('upload_id');
  if (typeof value === 'string' && value !== '') return requireUploadId(value);
  throw new UploadError('malformed_request', 'Send upload_id, as the answer to the first chunk had it.');
}
