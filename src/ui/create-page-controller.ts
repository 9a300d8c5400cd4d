import { dirname } from 'node:path';
import {
  Controller,
  Get,
  Inject,
  Req,
  Res,
  type StreamableFile,
  type Type,
  UseFilters,
  UseGuards,
  VERSION_NEUTRAL,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { UploadError } from '../errors/upload-error.js';
import { HttpExchange } from '../protocols/http/http-exchange.js';
import { documentOperations } from '../protocols/http/openapi.js';
import { addOtherMethods } from '../protocols/http/other-methods.js';
import { ProblemFilter } from '../protocols/http/problem.filter.js';
import { REST_STATUSES } from '../protocols/rest/rest.response.js';
import { ASSETS, type PageFiles } from './page-files.js';
import { type CompletePageOptions, foreignOrigin } from './page-options.js';
import { alsoWithSlash } from './page-slash.js';
import { contentSecurityPolicy, sendStatic } from './static-files.js';

class PageFilter extends ProblemFilter {
  constructor(@Inject(HttpAdapterHost) host: HttpAdapterHost) {
    super(host, REST_STATUSES);
  }
}

/** The controller of one page: a class of its own, so that path, guards and metadata are its own. */
export function createPageController(
  { path, endpoint, guards, decorators }: CompletePageOptions,
  { index, assets }: PageFiles,
): Type<object> {
  const policy = contentSecurityPolicy([foreignOrigin(endpoint) ?? []].flat());
  // Express and Fastify write wildcards differently; parameters they write alike.
  const folders = new Set([...assets.keys()].map((name) => dirname(name)));
  const assetPaths = [...folders].map((folder) => `${ASSETS}/${folder}/:file`);

  @Controller({ path, version: VERSION_NEUTRAL })
  @UseGuards(...guards)
  @UseFilters(PageFilter)
  class UploadPageController {
    constructor(private readonly host: HttpAdapterHost) {}

    @Get()
    page(@Req() request: unknown, @Res({ passthrough: true }) response: unknown): StreamableFile | undefined {
      const exchange = new HttpExchange(this.host.httpAdapter, request, response);
      return exchange.path.endsWith('/')
        ? sendStatic(exchange, index, policy)
        : void redirectToSlash(exchange);
    }

    @Get(assetPaths)
    asset(
      @Req() request: unknown,
      @Res({ passthrough: true }) response: unknown,
    ): StreamableFile | undefined {
      const exchange = new HttpExchange(this.host.httpAdapter, request, response);
      const name = exchange.path.split(`/${ASSETS}/`).pop() ?? '';
      const file = assets.get(name);
      if (!file) throw new UploadError('not_found', 'The page has no such file.');
      return sendStatic(exchange, file, policy);
    }
  }

  complement(UploadPageController, assetPaths);
  for (const decorate of decorators) decorate(UploadPageController);
  return UploadPageController;
}

/** Adds the methods the paths do not have, and keeps all of it out of the API's description. */
function complement(controller: Type<object>, assetPaths: readonly string[]): void {
  const reading = ['GET', 'HEAD'];
  const besidePage = ['page', ...addOtherMethods(controller, { '': reading })];
  for (const name of besidePage) alsoWithSlash(controller.prototype as object, name);
  const routes = Object.fromEntries(assetPaths.map((route) => [route, reading]));
  const hidden = [...besidePage, 'asset', ...addOtherMethods(controller, routes)];
  documentOperations(controller, Object.fromEntries(hidden.map((name) => [name, null])));
}

/** The page's links are relative to `/files/`. So is this one to `/files`, whatever a proxy has cut off before it. */
function redirectToSlash(exchange: HttpExchange): void {
  exchange.setHeader('Location', `./${exchange.path.split('/').pop() ?? ''}/`);
  exchange.setStatus(307);
}
