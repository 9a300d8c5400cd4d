import type { HttpExchange } from './http-exchange.js';

/**
 * Urls of uploads, as the client can use them: behind `publicUrl` where it is set, else where the request itself went,
 * so that prefix, version and mount point are in it. Relative when the request's host is no host.
 */
export class UploadLocation {
  private readonly base: string;

  /** @param routeDepth path segments of the request behind the collection's: 0 for `/upload`, 1 for `/upload/:id`. */
  constructor(exchange: HttpExchange, publicUrl: string | null, routeDepth: 0 | 1) {
    const segments = exchange.path.replace(/\/+$/, '').split('/');
    const collection = segments.slice(0, segments.length - routeDepth).join('/');
    this.base = `${publicUrl ?? exchange.origin ?? ''}${collection}`;
  }

  of(id: string): string {
    return `${this.base}/${id}`;
  }
}
