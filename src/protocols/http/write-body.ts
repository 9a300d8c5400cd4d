import type { DoorSettings } from '../../upload-type.js';
import type { HttpExchange } from './http-exchange.js';

/** What a handler returns for a body, in the format the upload type answers in. */
export function writeBody(
  exchange: HttpExchange,
  { response }: Pick<DoorSettings, 'response'>,
  body: unknown,
): unknown {
  if (!response) return body;
  exchange.setHeader('Content-Type', response.contentType);
  return response.encode(body);
}
