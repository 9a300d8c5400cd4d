import { Controller, Inject, type Type, UseFilters, UseGuards } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { UploadShape } from '../../upload-options.js';
import { UploadType } from '../../upload-type.js';
import { inheritInjections } from '../http/injection.js';
import { documentOperations } from '../http/openapi.js';
import { addOtherMethods } from '../http/other-methods.js';
import { ProblemFilter } from '../http/problem.filter.js';
import { REST_METHODS, RestUploadsController } from './rest.controller.js';
import { REST_OPERATIONS } from './rest.openapi.js';
import { REST_STATUSES } from './rest.response.js';

/** What a door's controller is made from. */
export type ControllerShape = Required<Pick<UploadShape, 'path' | 'guards' | 'decorators'>> &
  Pick<UploadShape, 'version'> & { readonly controller: Type<RestUploadsController> | undefined };

/** The controller of one upload type: a class of its own, so that path, guards and metadata are its own. */
export function createRestController(
  shape: ControllerShape,
  name: string,
  type: symbol,
): Type<RestUploadsController> {
  class RestFilter extends ProblemFilter {
    constructor(host: HttpAdapterHost, @Inject(type) { door }: UploadType) {
      super(host, { ...REST_STATUSES, ...door.statusOverrides }, door);
    }
  }

  const { path, version, guards, decorators } = shape;
  const Base = (shape.controller ?? RestUploadsController) as typeof RestUploadsController;
  @Controller({ path, ...(version && { version }) })
  @UseGuards(...guards)
  @UseFilters(RestFilter)
  class RestController extends Base {
    constructor(@Inject(type) uploads: UploadType, host: HttpAdapterHost, ...rest: []) {
      super(uploads, host, ...rest);
    }
  }

  inheritInjections(RestController, shape.controller ?? RestUploadsController);
  keepRoutes(RestController);
  documentOperations(RestController, {
    ...REST_OPERATIONS,
    ...hidden(addOtherMethods(RestController, REST_METHODS)),
  });
  for (const decorate of decorators) decorate(RestController);
  Object.defineProperty(RestController, 'name', { value: `${name}Controller` });
  return RestController;
}

/**
 * Gives a class all routes in the order of the base, which counts for HEAD before GET; what a subclass of the app's
 * overrides has none of its own, and gets the one it had.
 */
function keepRoutes({ prototype }: { readonly prototype: object }): void {
  for (const name of Object.getOwnPropertyNames(RestUploadsController.prototype)) {
    if (name === 'constructor') continue;
    const base: unknown = Reflect.get(RestUploadsController.prototype, name);
    const own: unknown = Reflect.get(prototype, name);
    if (typeof base !== 'function' || typeof own !== 'function') continue;
    if (Reflect.getMetadataKeys(own).length === 0) {
      for (const key of Reflect.getMetadataKeys(base)) {
        Reflect.defineMetadata(key, Reflect.getMetadata(key, base), own);
      }
    }
    Object.defineProperty(prototype, name, { value: own, writable: true, configurable: true });
  }
}

function hidden(names: readonly string[]): Record<string, null> {
  return Object.fromEntries(names.map((name) => [name, null]));
}
