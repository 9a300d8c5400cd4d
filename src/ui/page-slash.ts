import { Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';

/** What is used of Fastify. */
interface FastifyApp {
  readonly initialConfig: { readonly routerOptions?: { readonly ignoreTrailingSlash?: boolean } };
  addHook(name: 'onRoute', hook: (route: FastifyRoute) => void): void;
  route(route: Omit<FastifyRoute, 'config'>): void;
}
interface FastifyRoute {
  readonly method: string | string[];
  readonly url: string;
  readonly handler: unknown;
  readonly config?: Readonly<Record<string, unknown>>;
}

/** Key of the metadata that `@RouteConfig` of the Fastify adapter writes, a package that needs not be there. */
const ROUTE_CONFIG = '__fastify_route_config__';
const MARK = 'isUploadPage';

/** Marks a method of a page's controller, for {@link PageSlash}. */
export function alsoWithSlash(prototype: object, method: string): void {
  Reflect.defineMetadata(ROUTE_CONFIG, { [MARK]: true }, Reflect.get(prototype, method) as object);
}

/** Fastify tells `/files/` from `/files`, as Express does not: gives it the first one, where the page's links hold. */
@Injectable()
export class PageSlash {
  constructor(host: HttpAdapterHost) {
    // Now, before Nest makes the routes. A command line has no adapter.
    if (host.httpAdapter?.getType() !== 'fastify') return;
    const app = host.httpAdapter.getInstance<FastifyApp>();
    if (app.initialConfig.routerOptions?.ignoreTrailingSlash) return;
    app.addHook('onRoute', ({ method, url, handler, config }) => {
      // Fastify adds HEAD to every GET by itself.
      if (!config?.[MARK] || url.endsWith('/') || method === 'HEAD') return;
      app.route({ method, url: `${url}/`, handler });
    });
  }
}
