import type { OperationDocument } from '../protocols/http/openapi.js';
import { json, problem, query } from '../protocols/http/openapi-parts.js';
import { date, nullable, string } from '../protocols/http/schemas.js';
import {
  ADMIN_DETAIL_SCHEMA,
  ADMIN_UPLOAD_SCHEMA,
  BULK_SCHEMA,
  CLEANUP_SCHEMA,
  STATUS_SCHEMA,
  TYPE_SCHEMA,
  USAGE_SCHEMA,
} from './admin.schemas.js';

const path = (name: string, description: string, schema: object = string) => ({
  in: 'path',
  name,
  required: true,
  description,
  schema,
});
const upload = [path('type', 'Name of the entity.'), path('id', 'UUID.', { type: 'string', format: 'uuid' })];
const answer = (description: string, schema: object) => ({ description, content: json(schema) });
const body = (properties: object, required: string[] = []) => ({
  required: true,
  content: json({ type: 'object', properties, required, additionalProperties: false }),
});
const count = { type: 'integer', minimum: 1, maximum: 100 };

const malformed = problem('The request is wrong; `detail` says how.');
const missing = problem('There is no such upload, or no such type.');
const refused = problem('The guards refused, or the API only reads.');
const conflict = problem('The upload is complete, or its bytes were lost.');
const busy = problem('Something else is at it: try again after `Retry-After` seconds.');

const times = {
  expires_at: { ...date, description: 'In the future, at most 365 days away.' },
  by: { ...string, example: '2d', description: 'Added to the expiry there is, or to now when that is over.' },
};
const names = {
  type: 'array',
  maxItems: 100,
  items: { type: 'object', properties: { type: string, id: string }, required: ['type', 'id'] },
};

/** The admin API for OpenAPI, by controller method. */
export const ADMIN_OPERATIONS: Readonly<Record<string, OperationDocument>> = {
  list: {
    summary: 'List uploads of everybody, newest first',
    parameters: [
      query('type', 'Only of this upload type.'),
      query('status', '`expired`: due, not deleted yet. `deleted`: records only.', STATUS_SCHEMA),
      query('user_id', 'Only of this user.'),
      query('owner_type', 'Only of this kind of owner.'),
      query('owner_id', 'Only of this owner.'),
      ...['created', 'completed'].flatMap((what) => [
        query(`${what}_after`, 'From then on.', date),
        query(`${what}_before`, 'Before then.', date),
      ]),
      query('search', 'A part of the file name in any case, or an id.'),
      query('limit', 'Page size.', { ...count, default: 20 }),
      query('cursor', '`next_cursor` of the page before.'),
    ],
    responses: {
      200: answer('A page.', {
        type: 'object',
        properties: { items: { type: 'array', items: ADMIN_UPLOAD_SCHEMA }, next_cursor: nullable(string) },
      }),
      400: malformed,
      403: refused,
    },
  },
  usage: {
    summary: 'Count uploads and bytes',
    parameters: [query('users', 'How many users of each type, by bytes.', { ...count, default: 10 })],
    responses: { 200: answer('By type and user.', USAGE_SCHEMA), 400: malformed, 403: refused },
  },
  types: {
    summary: 'List the upload types with their limits',
    responses: { 200: answer('The types.', TYPE_SCHEMA), 403: refused },
  },
  lastCleanup: {
    summary: 'Tell of the last cleanup that was run from here, and of those by the clock',
    responses: { 200: answer('`last` is null before the first.', CLEANUP_SCHEMA), 403: refused },
  },
  cleanup: {
    summary: 'Run a cleanup',
    requestBody: body({
      dry_run: { type: 'boolean', default: false, description: 'Only count.' },
      types: { type: 'array', items: string, description: 'Only these.' },
      older_than: { ...string, example: '3d', description: 'Those without activity for so long, instead.' },
      unfinished: { type: 'boolean', default: false, description: 'All that are not complete.' },
    }),
    responses: { 200: answer('What it did.', CLEANUP_SCHEMA), 400: malformed, 403: refused, 423: busy },
  },
  bulk: {
    summary: 'Delete or extend many uploads',
    requestBody: body({ action: { type: 'string', enum: ['delete', 'extend'] }, items: names, ...times }, [
      'action',
      'items',
    ]),
    responses: { 200: answer('What became of each.', BULK_SCHEMA), 400: malformed, 403: refused },
  },
  detail: {
    summary: 'Tell of one upload, and what the storage has of it',
    parameters: upload,
    responses: { 200: answer('The upload.', ADMIN_DETAIL_SCHEMA), 403: refused, 404: missing },
  },
  delete: {
    summary: 'Delete an upload in any state, row and bytes',
    parameters: upload,
    responses: { 204: { description: 'Gone.' }, 403: refused, 404: missing },
  },
  extend: {
    summary: 'Change when an unfinished upload expires',
    description: 'One of the two.',
    parameters: upload,
    requestBody: body(times),
    responses: {
      200: answer('The upload.', ADMIN_UPLOAD_SCHEMA),
      400: malformed,
      403: refused,
      404: missing,
      409: conflict,
      423: busy,
    },
  },
};
