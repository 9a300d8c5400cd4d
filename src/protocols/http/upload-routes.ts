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
  readonly initialConfig: { readonly routerOptions?: { readonly ignoreTrailingSlash?: boolean } };
  hasContentTypeParser(type: string): boolean;
  hasRoute(route: Omit<FastifyRoute, 'handler'>): boolean;
  route(route: FastifyRoute): void;
  addHook(name: 'onRoute', hook: (route: FastifyRoute) => void): void;
  addHook(
    name: 'onRequest',
    hook: (request: FastifyRequest, reply: { raw: ServerResponse }, done: Next) => void,
  ): void;
  addContentTypeParser(
    type: string,
    parser: (request: unknown, body: unknown, done: (error: null) => void) => void,
  ): void;
}
interface FastifyRoute {
  readonly method: string | string[];
  readonly url: string;
  readonly handler: unknown;
  /** The version, where it is in a header. */
  readonly constraints?: object;
}
interface FastifyRequest {
  readonly raw: IncomingMessage;
  readonly routeOptions: { readonly url?: string };
}

/** What stands behind the path of a door in its routes; a path that has the last one is an upload type's. */
const SUFFIXES = {
  rest: ['', '/', '/:id', '/:id/', '/:id/content/', '/:id/content'],
  'form-post': ['', '/', '_complete/', '_complete'],
} as const;
/** A door with routes that have to be known. */
type Door = keyof typeof SUFFIXES;
/** Refused by our controllers, so there is a route for it; an app has none for a path like that. */
const TELLING_METHOD = 'PATCH';

/**
 * Keeps the app's body parsers away from upload routes, on Express and on Fastify, whatever prefix, version or mount
 * point they have: the framework's own router is asked which of its routes are ours. Also holds back
 * `100 Continue` there, so that a refusal by headers comes before the body.
 */
@Injectable()
export class UploadRoutes implements OnApplicationBootstrap {
  private readonly doors: { readonly path: string; readonly suffixes: readonly string[] }[] = [];

  constructor(private readonly host: HttpAdapterHost) {
    // Now, before the app's own middleware; in tests the adapter comes after the providers.
    if (host.httpAdapter) this.install();
    // A command line has none at all.
    else host.init$.subscribe(() => host.httpAdapter && this.install());
  }

  /** Names the last part of a door's path, such as `upload`. */
  add(path: string, door: Door = 'rest'): void {
    this.doors.push({ path: path.replace(/^\/+|\/+$/g, ''), suffixes: SUFFIXES[door] });
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
    const waiting: FastifyRoute[] = [];
    let ours: ReadonlySet<string> = new Set();
    app.addHook('onRoute', (route) => {
      if (methodsOf(route).includes(TELLING_METHOD)) {
        telling.push(route.url);
        ours = this.ours(telling);
      }
      waiting.push(route);
      if (!app.initialConfig.routerOptions?.ignoreTrailingSlash) addSlashed(app, waiting, ours);
    });
    if (!app.hasContentTypeParser(UNPARSED))
      app.addContentTypeParser(UNPARSED, (_request, _body, done) => done(null));
    app.addHook('onRequest', (request, reply, done) => {
      this.prepare(request.raw, reply.raw, ours.has(request.routeOptions.url ?? ''));
      done();
    });
  }

  /** All patterns of our routes, from those that only ours can be. */
  private ours(telling: readonly string[]): ReadonlySet<string> {
    const patterns = this.doors.flatMap(({ path, suffixes }) => {
      const last = suffixes.at(-1) ?? '';
      return telling
        .filter((route) => route.endsWith(last))
        .map((route) => route.slice(0, -last.length))
        .filter((base) => path === '' || base === `/${path}` || base.endsWith(`/${path}`))
        .flatMap((base) => suffixes.map((suffix) => `${base}${suffix}` || '/'));
    });
    return new Set(patterns);
  }

  private prepare(request: IncomingMessage, response: ServerResponse, isOurs: boolean): void {
    if (isOurs) hideContentType(request);
    else if (takeAwaitingContinue(request)) response.writeContinue();
  }
}

/**
 * Fastify tells `/path/` from `/path`, as Express does not: our routes get the other one, too. Only ours, and so not before
 * one is seen that tells them: the app's own may have hooks that would not come along.
 */
function addSlashed(app: FastifyApp, waiting: FastifyRoute[], ours: ReadonlySet<string>): void {
  for (const route of waiting.splice(0)) {
    const { url, handler, constraints } = route;
    const slashed = { url: `${url}/`, ...(constraints && { constraints }) };
    if (!ours.has(slashed.url)) waiting.push(route);
    // Fastify adds HEAD to every GET by itself.
    else
      for (const method of methodsOf(route))
        if (!app.hasRoute({ ...slashed, method })) app.route({ ...slashed, method, handler });
  }
}

function methodsOf({ method }: FastifyRoute): string[] {
  return [method].flat();
}
