/** JSON schema of any string. */
export const string = { type: 'string' };
const bytes = { type: 'integer', format: 'int64', minimum: 0 };
/** The same schema, or null. */
export const nullable = (schema: object) => ({ ...schema, nullable: true });
const date = { type: 'string', format: 'date-time' };
/** Checksums by algorithm. */
export const hexByAlgorithm = {
  type: 'object',
  additionalProperties: string,
  example: { md5: '9e107d9d372bb6826bd81d3542a419d6' },
};

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

/** JSON schema of `Problem`. */
export const PROBLEM_SCHEMA = {
  type: 'object',
  description: 'Problem details (RFC 9457). `code` is stable.',
  properties: {
    type: string,
    title: string,
    status: { type: 'integer' },
    detail: string,
    code: { type: 'string', example: 'offset_mismatch' },
    offset: bytes,
    expected_offset: bytes,
    provided_offset: bytes,
    limit_bytes: bytes,
    retry_after: { type: 'integer', description: 'Seconds.' },
    algorithms: { type: 'array', items: string },
  },
};
