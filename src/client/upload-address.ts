import { ChunkedUploadError } from './chunked-upload-error.js';
import { objectIn } from './json-body.js';
import type { HttpAnswer } from './platform.js';

/** Where the creating request goes: a raw body has no other place for its name and owner. */
export function creatingUrl(
  endpoint: string,
  filename: string,
  owner: { readonly type: string; readonly id: string } | undefined,
): string {
  const url = new URL(endpoint);
  url.searchParams.set('filename', filename);
  if (owner) {
    url.searchParams.set('owner_type', owner.type);
    url.searchParams.set('owner_id', owner.id);
  }
  return url.href;
}

/**
 * Address of a created upload: its id behind the endpoint. What the server believes its own address to be may be wrong
 * behind a proxy; the endpoint has just worked.
 * @throws ChunkedUploadError `http` when something else than an upload route answered.
 */
export function createdUrl(endpoint: string, answer: HttpAnswer): string {
  const { id } = objectIn(answer.text) as { id?: string };
  const url = new URL(endpoint);
  const location = answer.header('Location');
  const name = location ? idIn(new URL(location, url)) : id;
  if (!name) throw noUploadRoute(answer);
  url.pathname = url.pathname.replace(/\/*$/, () => `/${name}`);
  return url.href;
}

/** The id in the address of an upload. */
export function idIn(url: string | URL): string {
  return new URL(url).pathname.split('/').pop() ?? '';
}

/** The error for a success that is not about an upload, such as the start page of an app. */
export function noUploadRoute({ status }: HttpAnswer): ChunkedUploadError {
  return new ChunkedUploadError('http', 'This is no upload route.', { status });
}

/** What makes a repeated creation recognisable: 128 bits; `crypto.randomUUID` is only there on pages with https. */
export function randomKey(): string {
  return crypto.getRandomValues(new Uint32Array(4)).join('-');
}
