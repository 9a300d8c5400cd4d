/** JSON schema of any string. */
export const string = { type: 'string' };
/** JSON schema of an offset or a size. */
export const bytes = { type: 'integer', format: 'int64', minimum: 0 };
/** The same schema, or null. */
export const nullable = (schema: object) => ({ ...schema, nullable: true });
/** JSON schema of a point in time. */
export const date = { type: 'string', format: 'date-time' };
/** Checksums by algorithm. */
export const hexByAlgorithm = {
  type: 'object',
  additionalProperties: string,
  example: { md5: '9e107d9d372bb6826bd81d3542a419d6' },
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
