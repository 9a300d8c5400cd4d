import type { IncomingMessage, ServerResponse } from 'node:http';
import type { HttpServer } from '@nestjs/common';
import { UploadError } from '../../errors/upload-error.js';
import { restoreContentType, takeAwaitingContinue } from './unparsed-body.js';

/** What Express and Fastify requests have in common, besides what Node gives them. */
interface FrameworkRequest {
  readonly raw?: IncomingMessage;
  readonly originalUrl?: string;
  /** With the app's proxy settings applied. */
  readonly protocol?: string;
  readonly host?: string;
}

/** A host as it may stand in a url: what else a client sends as `Host` never comes back to anyone. */
const HOST = /^[\w-]+(\.[\w-]+)*\.?(:\d{1,5})?$|^\[[0-9A-Fa-f:.]+\](:\d{1,5})?$/;

/** One request and its response, on Express and on Fastify alike. */
export class HttpExchange {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  private readonly target: RequestTarget;

  constructor(
    private readonly adapter: HttpServer,
    readonly request: unknown,
    readonly response: unknown,
  ) {
    const { raw, originalUrl } = request as FrameworkRequest;
    this.incoming = raw ?? (request as IncomingMessage);
    this.outgoing = (response as { raw?: ServerResponse }).raw ?? (response as ServerResponse);
    this.target = parseTarget(originalUrl ?? this.incoming.url ?? '/');
    restoreContentType(this.incoming);
  }

  /** Path of the request as the client sees it: global prefix, version and mount point included. */
  get path(): string {
    return this.target.path;
  }

  /** `https://host:port`, as far as the framework trusts the request for it; null when its host is no host. */
  get origin(): string | null {
    const { protocol, host } = this.request as FrameworkRequest;
    return protocol && host && HOST.test(host) && URL.canParse(`http://${host}`)
      ? `${protocol}://${host}`
      : null;
  }

  header(name: string): string | undefined {
    const value = this.incoming.headers[name];
    return Array.isArray(value) ? value.join(', ') : value;
  }

  /** A query parameter. @throws UploadError `malformed_request` when it is given twice. */
  query(name: string): string | undefined {
    const values = this.target.query.getAll(name);
    if (values.length > 1)
      throw new UploadError('malformed_request', `The query parameter ${name} is given twice.`);
    return values[0];
  }

  queryEntries(): ReadonlyMap<string, string> {
    return new Map([...this.target.query.keys()].map((name) => [name, this.query(name) ?? '']));
  }

  /** Tells a client that waits for it to send the body (RFC 9110 section 10.1.1). */
  acceptBody(): void {
    if (takeAwaitingContinue(this.incoming)) this.outgoing.writeContinue();
  }

  setHeader(name: string, value: string | number): void {
    this.adapter.setHeader?.(this.response, name, String(value));
  }

  setStatus(status: number): void {
    this.adapter.status?.(this.response, status);
  }

  reply(status: number, body: unknown): void {
    this.adapter.reply(this.response, body, status);
  }
}

interface RequestTarget {
  readonly path: string;
  readonly query: URLSearchParams;
}

/** Splits a request target (RFC 9112 section 3.2); by hand, since a client may send what no URL parser takes. */
function parseTarget(target: string): RequestTarget {
  const local = target.replace(/^[a-z][a-z\d+.-]*:\/\/[^/?#]*/i, '');
  const [beforeHash = ''] = local.split('#', 1);
  const mark = beforeHash.indexOf('?');
  const path = mark < 0 ? beforeHash : beforeHash.slice(0, mark);
  return { path: path || '/', query: new URLSearchParams(mark < 0 ? '' : beforeHash.slice(mark)) };
}
