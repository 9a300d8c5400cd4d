import { bytes, date, hexByAlgorithm, nullable, string } from '../http/schemas.js';

/** JSON schema of `UploadBody`. */
export const UPLOAD_SCHEMA = {
  type: 'object',
  properties: {
    id: { type: 'string', format: 'uuid' },
    url: { type: 'string', format: 'uri' },
    offset: { ...bytes, description: 'Bytes durably received; the next byte expected.' },
    size: nullable({ ...bytes, description: 'Declared size; null while unknown.' }),
    status: { type: 'string', enum: ['uploading', 'completing', 'complete', 'failed'] },
    filename: string,
    content_type: nullable(string),
    checksums: hexByAlgorithm,
    owner_type: nullable(string),
    owner_id: nullable(string),
    user_id: nullable(string),
    metadata: { type: 'object', additionalProperties: true },
    expires: nullable(date),
    created_at: date,
    completed_at: nullable(date),
  },
};
