import type { OperationDocument } from '../http/openapi.js';
import {
  contentRange,
  file,
  header,
  idempotencyKey,
  json,
  problem,
  query,
  REFUSALS,
} from '../http/openapi-parts.js';
import { hexByAlgorithm, nullable, string } from '../http/schemas.js';
import { UPLOAD_SCHEMA } from './rest.schemas.js';

const upload = (description: string) => ({ description, content: json(UPLOAD_SCHEMA) });
const { 404: notFound, 410: gone } = REFUSALS;

const id = {
  in: 'path',
  name: 'id',
  required: true,
  description: 'UUID',
  schema: { type: 'string', format: 'uuid' },
};

const naming = [
  header('Content-Disposition', 'Name of a raw body: `attachment; filename="…"` (RFC 6266).'),
  query('filename', 'Name of the file.'),
  query('owner_type', 'Kind of the object the upload belongs to.'),
  query('owner_id', 'Id of that object.'),
];
const formFields = { filename: string, owner_type: string, owner_id: string, upload_id: string };
const chunkBody = (fields: object) => ({
  required: true,
  content: {
    'application/octet-stream': { schema: file },
    'multipart/form-data': {
      schema: { type: 'object', properties: { ...fields, file }, required: ['file'] },
    },
  },
});

/** The REST door for OpenAPI, by controller method; `null` for what is not worth a line. */
export const REST_OPERATIONS: Readonly<Record<string, OperationDocument | null>> = {
  createByChunk: {
    summary: 'Create an upload with its first chunk',
    description:
      'Raw bytes of any type, or a form with a file part. With `upload_id` the chunk is appended to that upload.',
    parameters: [contentRange, ...naming, idempotencyKey],
    requestBody: chunkBody(formFields),
    responses: { 200: upload('Created; `Location` and `url` take the next chunk.'), ...REFUSALS },
  },
  createWhole: {
    summary: 'Upload a whole file in one request',
    description:
      'The file and its checksum (a form field or query parameter named like the algorithm). A failed one leaves nothing behind.',
    parameters: [
      ...naming,
      query('md5', 'Checksum in hex; named like any computed algorithm.'),
      idempotencyKey,
    ],
    requestBody: chunkBody({ ...formFields, md5: string }),
    responses: { 200: upload('Complete.'), ...REFUSALS },
  },
  list: {
    summary: 'List the caller’s uploads, newest first',
    parameters: [
      query('limit', 'Page size.', { type: 'integer', minimum: 1, maximum: 100, default: 20 }),
      query('cursor', '`next_cursor` of the page before.'),
      query('status', 'Only uploads in this state.', UPLOAD_SCHEMA.properties.status),
      query('owner_type', 'Only uploads of this kind of owner.'),
      query('owner_id', 'Only uploads of this owner.'),
    ],
    responses: {
      200: {
        description: 'A page.',
        content: json({
          type: 'object',
          properties: { items: { type: 'array', items: UPLOAD_SCHEMA }, next_cursor: nullable(string) },
        }),
      },
    },
  },
  append: {
    summary: 'Append the next chunk',
    parameters: [id, contentRange],
    requestBody: chunkBody({}),
    responses: { 200: upload('Durably stored.'), ...REFUSALS },
  },
  complete: {
    summary: 'Complete',
    description:
      'With the checksum of the whole file, by any computed algorithm. Repeating it gives the same answer.',
    parameters: [id],
    requestBody: { required: false, content: json(hexByAlgorithm) },
    responses: { 200: upload('Complete, or what the app answers instead.'), ...REFUSALS },
  },
  detail: {
    summary: 'Where an upload stands',
    parameters: [id],
    responses: { 200: upload('`offset` is the next byte expected.'), 404: notFound, 410: gone },
  },
  cancel: {
    summary: 'Cancel: delete row and bytes',
    parameters: [id],
    responses: { 204: { description: 'Gone.' }, 404: notFound },
  },
  cancelNamed: {
    summary: 'Cancel the upload that a field names',
    parameters: [query('upload_id', 'Instead of the field of that name.')],
    responses: { 204: { description: 'Gone.' }, 404: notFound },
  },
  content: {
    summary: 'Download a complete upload',
    parameters: [id, header('Range', 'One range of bytes (RFC 9110 section 14.2).', 'bytes=0-99')],
    responses: {
      200: { description: 'The file.', content: { 'application/octet-stream': { schema: file } } },
      206: { description: 'A part of it.' },
      304: { description: 'The client has it.' },
      404: notFound,
      416: problem('The range is behind the end.'),
    },
  },
  offset: null,
  contentHead: null,
};
