import { PROBLEM_SCHEMA, string } from './schemas.js';

/** A JSON body. */
export const json = (schema: object) => ({ 'application/json': { schema } });
/** An answer that is problem+json. */
export const problem = (description: string) => ({
  description,
  content: { 'application/problem+json': { schema: PROBLEM_SCHEMA } },
});

/** What any request to an upload may be answered instead. */
export const REFUSALS = {
  400: problem(
    'The request is wrong; `code` and `detail` say how. `offset_mismatch` tells the expected offset.',
  ),
  404: problem('There is no such upload, or it is somebody else’s.'),
  410: problem('The upload expired, or its bytes were lost.'),
  423: problem('Another request is working on this upload: try again after `Retry-After` seconds.'),
  503: problem(
    'Database or storage are away, or the server is stopping: try again after `Retry-After` seconds.',
  ),
  507: problem('No space left.'),
};

/** A request header. */
export const header = (name: string, description: string, example?: string) => ({
  in: 'header',
  name,
  description,
  required: false,
  schema: { ...string, ...(example && { example }) },
});
/** A query parameter. */
export const query = (name: string, description: string, schema: object = string) => ({
  in: 'query',
  name,
  description,
  required: false,
  schema,
});
/** Where a chunk belongs. */
export const contentRange = header(
  'Content-Range',
  '`bytes <start>-<end>/<total>`; `*` for a total not known yet.',
  'bytes 0-999/5000',
);
/** The client’s own name for a creating request. */
export const idempotencyKey = header(
  'Idempotency-Key',
  'Makes creation repeatable: the same key answers with the same upload.',
);

/** JSON schema of bytes. */
export const file = { type: 'string', format: 'binary' };
