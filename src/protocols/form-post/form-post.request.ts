import { UploadError } from '../../errors/upload-error.js';
import { requireUploadId } from '../http/upload-id.js';

/**
 * The upload that the field `upload_id` names.
 * @throws UploadError `malformed_request` when there is no such field, `not_found` when it holds no id.
 */
export function uploadNamedIn(fields: ReadonlyMap<string, unknown>): string {
  const value = fields.get('upload_id');
  if (typeof value === 'string' && value !== '') return requireUploadId(value);
  throw new UploadError('malformed_request', 'Send upload_id, as the answer to the first chunk had it.');
}
