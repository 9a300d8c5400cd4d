import { notFound } from './refusal.js';

const UUID = /^(?:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{32})$/i;

/**
 * The id of an upload as it stands in a url or a form: a UUID (RFC 9562, any version) in its usual spelling or as 32
 * hexadecimal digits, in either case.
 *
 * Nothing else may get further: frameworks decode `..%2f` and `%00` in a path parameter, and Postgres answers a NUL
 * or a malformed uuid with an error of its own.
 *
 * @returns The id in lower case with hyphens, or null for any other string.
 */
export function parseUploadId(value: string): string | null {
  if (!UUID.test(value)) return null;
  const hex = value.replaceAll('-', '').toLowerCase();
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/** The same of an id that is needed. @throws UploadError `not_found`: what is no id is no upload's. */
export function requireUploadId(value: string): string {
  const id = parseUploadId(value);
  if (!id) throw notFound();
  return id;
}
