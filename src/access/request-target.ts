import type { IncomingHttpHeaders } from 'node:http';

/** What guards use of an Express or Fastify request. */
export interface GuardedRequest {
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  readonly url: string;
  /** The url before any router took its mount point off. */
  readonly originalUrl?: string;
  user?: unknown;
}

/** Where a request goes, as it arrived. */
export interface RequestTarget {
  /** As sent: not decoded, with prefix, version and mount point. */
  readonly path: string;
  readonly query: URLSearchParams;
}

/** Splits a request target (RFC 9112 section 3.2) by hand: a URL parser would tidy up the path that was signed. */
export function targetOf({ originalUrl, url }: GuardedRequest): RequestTarget {
  const local = (originalUrl ?? url).replace(/^[a-z][a-z\d+.-]*:\/\/[^/?#]*/i, '');
  const [beforeHash = ''] = local.split('#', 1);
  const mark = beforeHash.indexOf('?');
  const path = mark < 0 ? beforeHash : beforeHash.slice(0, mark);
  return { path: path || '/', query: new URLSearchParams(mark < 0 ? '' : beforeHash.slice(mark)) };
}

/** A query parameter given once; of one that is given twice nobody knows which value a proxy in front believed. */
export function singleValue(query: URLSearchParams, name: string): string | undefined {
  const values = query.getAll(name);
  return values.length === 1 ? values[0] : undefined;
}
