import type { Owner } from '../../engine/upload-policy.js';
import { UploadError } from '../../errors/upload-error.js';

/**
 * The owner that `owner_type` and `owner_id` name; null when neither is given.
 * @throws UploadError `owner_not_allowed` when only one is.
 */
export function parseOwner(fields: ReadonlyMap<string, string>): Owner | null {
  const type = fields.get('owner_type') ?? '';
  const id = fields.get('owner_id') ?? '';
  if (type === '' && id === '') return null;
  if (type !== '' && id !== '') return { type, id };
  throw new UploadError('owner_not_allowed', 'Send owner_type and owner_id together, or neither.');
}
