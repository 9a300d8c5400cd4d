import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { StreamableFile } from '@nestjs/common';
import { matchesEtag } from '../protocols/http/byte-range.js';
import type { HttpExchange } from '../protocols/http/http-exchange.js';

const MEDIA_TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** A file of a page, in memory. */
export interface StaticFile {
  /** Name without folders. */
  readonly name: string;
  readonly type: string;
  readonly bytes: Buffer;
  /** Strong: a digest of the bytes. */
  readonly etag: string;
}

/**
 * Reads what a page is made of (html, css, js, svg) from a folder, not from those below it. Meant for boot: requests are
 * answered from this list, so none of them can name any other file.
 */
export function readStaticFiles(folder: string): StaticFile[] {
  const names = readdirSync(folder).filter((name) => extname(name) in MEDIA_TYPES);
  return names.sort().map((name) => staticFile(name, readFileSync(join(folder, name))));
}

/** A file of a page that was made, or changed, by the program. Its type is that of the name's extension. */
export function staticFile(name: string, bytes: Buffer): StaticFile {
  const etag = `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`;
  return { name, type: MEDIA_TYPES[extname(name)] ?? 'application/octet-stream', bytes, etag };
}

/** What pages may load and do: their own files and the requests they are for, nothing inline, in no frame. */
export function contentSecurityPolicy(connect: readonly string[] = []): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    ["connect-src 'self'", ...connect].join(' '),
    "worker-src 'self'",
    "form-action 'none'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

/**
 * Answers with a file, or with 304 where the browser has it. Browsers ask each time, so that page and modules are always of
 * one release.
 */
export function sendStatic(
  exchange: HttpExchange,
  { type, bytes, etag }: StaticFile,
  policy: string,
): StreamableFile | undefined {
  exchange.setHeader('ETag', etag);
  exchange.setHeader('Cache-Control', 'no-cache');
  exchange.setHeader('Content-Security-Policy', policy);
  exchange.setHeader('X-Content-Type-Options', 'nosniff');
  exchange.setHeader('Referrer-Policy', 'same-origin');
  if (matchesEtag(exchange.header('if-none-match'), etag)) {
    exchange.setStatus(304);
    return undefined;
  }
  exchange.setHeader('Content-Type', type);
  exchange.setHeader('Content-Length', bytes.length);
  // Of a HEAD, too: without a body, Fastify would say that its length is 0. Neither framework sends it.
  return new StreamableFile(bytes);
}
