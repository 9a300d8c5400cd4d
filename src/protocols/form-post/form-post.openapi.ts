import type { OperationDocument } from '../http/openapi.js';
import { contentRange, file, idempotencyKey, json, query, REFUSALS } from '../http/openapi-parts.js';
import { bytes, date, nullable, string } from '../http/schemas.js';

const { 404: notFound } = REFUSALS;

const uploadId = { ...string, description: '32 hexadecimal digits, as the first answer had them.' };

/** JSON schema of `ChunkAnswer`. */
const CHUNK_SCHEMA = {
  type: 'object',
  properties: { upload_id: uploadId, offset: bytes, expires: nullable(date) },
};

const chunkForm = {
  type: 'object',
  properties: { upload_id: uploadId, filename: string, owner_type: string, owner_id: string, file },
  required: ['file'],
};

/** A small body, in each of the ways it may be sent. */
const fields = (properties: object) => {
  const schema = { type: 'object', properties, required: ['upload_id'] };
  return {
    required: true,
    content: {
      'application/x-www-form-urlencoded': { schema },
      'multipart/form-data': { schema },
      ...json(schema),
    },
  };
};

/** The form-post door for OpenAPI, by controller method. */
export const FORM_POST_OPERATIONS: Readonly<Record<string, OperationDocument>> = {
  chunk: {
    summary: 'Send a chunk as a form',
    description:
      'The first one creates the upload; each other one names it in `upload_id`. Without `Content-Range` the file is whole.',
    parameters: [contentRange, idempotencyKey],
    requestBody: { required: true, content: { 'multipart/form-data': { schema: chunkForm } } },
    responses: { 200: { description: 'Durably stored.', content: json(CHUNK_SCHEMA) }, ...REFUSALS },
  },
  cancel: {
    summary: 'Cancel: delete row and bytes',
    parameters: [query('upload_id', 'Instead of the field of that name.')],
    requestBody: { ...fields({ upload_id: uploadId }), required: false },
    responses: { 204: { description: 'Gone.' }, 404: notFound },
  },
  complete: {
    summary: 'Complete an upload sent as forms',
    description: 'With the checksum of the whole file, in a field named like any computed algorithm.',
    requestBody: fields({ upload_id: uploadId, md5: string }),
    responses: {
      200: { description: 'Complete: an empty object, or what the app answers instead.' },
      ...REFUSALS,
    },
  },
};
