import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { hideContentType, markAwaitingContinue, takeAwaitingContinue, UNPARSED } from './unparsed-body.js';

/** What is used of an Express router's layer, as Nest itself uses it. */
interface ExpressLayer {
  readonly route?: { readonly path: unknown; readonly methods?: Readonly<Record<string, boolean>> };
  match(path: string): boolean;
}

type ExpressApp = { readonly router?: { readonly stack?: readonly ExpressLayer[] } };
type Next = () => void;

/** What is used of Fastify. */
interface FastifyApp {
  hasContentTypeParser(type: string): boolean;
  addHook(name: 'onRoute', hook: (route: { url: string; method: string | string[] }) => void): void;
  addHook(
    name: 'onRequest',
    hook: (request: FastifyRequest, reply: { raw: ServerResponse }, done: Next) => void,
  ): void;
  addContentTypeParser(
    type: string,
    parser: (request: unknown, body: unknown, done: (error: null) => void) => void,
  ): void;
}
interface FastifyRequest {
  readonly raw: IncomingMessage;
  readonly routeOptions: { readonly url?: string };
}

/** Every upload route ends in one of these; a base path that has the last one is an upload type's. */
const SUFFIXES = ['', '/:id', '/:id/content'];
const LAST = '/:id/content';
/** Refused by our controllers, so there is a route for it; an app has none for a path like that. */
const TELLING_METHOD = 'PATCH';

/**
 * Keeps the app's body parsers away from upload routes, on Express and on Fastify, whatever prefix, version or mount
 * point they have: the framework's own router is asked which of its routes are ours. Also holds back
 * `100 Continue` there, so that a refusal by headers comes before the body.
 */
@Injectable()
export class UploadRoutes implements OnApplicationBootstrap {
  private readonly paths = new Set<string>();

  constructor(private readonly host: HttpAdapterHost) {
    // Now, before the app's own middleware; in tests the adapter comes after the providers.
    if (host.httpAdapter) this.install();
    else host.init$.subscribe(() => this.install());
  }

  /** Names the last part of an upload type's path, such as `upload`. */
  add(path: string): void {
    this.paths.add(path.replace(/^\/+|\/+$/g, ''));
  }

  onApplicationBootstrap(): void {
    const server = this.host.httpAdapter?.getHttpServer() as Server | undefined;
    if (!server?.on || server.listenerCount('checkContinue') > 0) return;
    server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
      markAwaitingContinue(request);
      server.emit('request', request, response);
    });
  }

  private install(): void {
    const { httpAdapter } = this.host;
    const instance: unknown = httpAdapter.getInstance();
    if (httpAdapter.getType() === 'express') this.installOnExpress(instance as ExpressApp);
    if (httpAdapter.getType() === 'fastify') this.installOnFastify(instance as FastifyApp);
  }

  private installOnExpress(app: ExpressApp): void {
    let layers: ExpressLayer[] | null = null;
    this.host.httpAdapter.use(
      (request: IncomingMessage & { path: string }, response: ServerResponse, next: Next) => {
        layers ??= this.layersOf(app);
        this.prepare(
          request,
          response,
          layers.some((layer) => layer.match(request.path)),
        );
        next();
      },
    );
  }

  private layersOf(app: ExpressApp): ExpressLayer[] {
    const routes = (app.router?.stack ?? []).filter((layer) => typeof layer.route?.path === 'string');
    const telling = routes.filter(({ route }) => route?.methods?.[TELLING_METHOD.toLowerCase()]);
    const ours = this.ours(telling.map(({ route }) => route?.path as string));
    return routes.filter(({ route }) => ours.has(route?.path as string));
  }

  private installOnFastify(app: FastifyApp): void {
    const telling: string[] = [];
    let ours: ReadonlySet<string> | null = null;
    app.addHook('onRoute', ({ url, method }) => {
      if ([method].flat().includes(TELLING_METHOD)) telling.push(url);
    });
    if (!app.hasContentTypeParser(UNPARSED))
      app.addContentTypeParser(UNPARSED, (_request, _body, done) => done(null));
    app.addHook('onRequest', (request, reply, done) => {
      ours ??= this.ours(telling);
      this.prepare(request.raw, reply.raw, ours.has(request.routeOptions.url ?? ''));
      done();
    });
  }

  /** All patterns of our routes, from those that only ours can be. */
  private ours(telling: readonly string[]): ReadonlySet<string> {
    const bases = telling
      .filter((route) => route.endsWith(LAST))
      .map((route) => route.slice(0, -LAST.length))
      .filter((base) =>
        [...this.paths].some((path) => path === '' || base === `/${path}` || base.endsWith(`/${path}`)),
      );
    return new Set(bases.flatMap((base) => SUFFIXES.map((suffix) => `${base}${suffix}` || '/')));
  }

  private prepare(request: IncomingMessage, response: ServerResponse, isOurs: boolean): void {
    if (isOurs) hideContentType(request);
    else if (takeAwaitingContinue(request)) response.writeContinue();
  }
}
