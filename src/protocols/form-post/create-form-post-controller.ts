import {
  Controller,
  Delete,
  HttpCode,
  Inject,
  Post,
  Req,
  Res,
  type Type,
  UseFilters,
  UseGuards,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { UploadShape } from '../../upload-options.js';
import { UploadType } from '../../upload-type.js';
import { inheritInjections } from '../http/injection.js';
import { documentOperations } from '../http/openapi.js';
import { addOtherMethods } from '../http/other-methods.js';
import { ProblemFilter } from '../http/problem.filter.js';
import { FormPostUploadsController } from './form-post.controller.js';
import { FORM_POST_OPERATIONS } from './form-post.openapi.js';
import { FORM_POST_STATUSES } from './form-post.response.js';

/** What the door's controller is made from. */
export type FormPostShape = Required<Pick<UploadShape, 'formPostPath' | 'guards' | 'decorators'>> &
  Pick<UploadShape, 'version'> & { readonly formPostController: Type<FormPostUploadsController> | undefined };

/** The controller of one upload type: a class of its own, so that paths, guards and metadata are its own. */
export function createFormPostController(
  { formPostPath, version, guards, decorators, formPostController }: FormPostShape,
  name: string,
  type: symbol,
): Type<FormPostUploadsController> {
  const path = formPostPath.replace(/^\/+|\/+$/g, '');
  const Base = (formPostController ?? FormPostUploadsController) as typeof FormPostUploadsController;
  @Controller({ path: '', ...(version && { version }) })
  @UseGuards(...guards)
  @UseFilters(filterOf(type))
  class FormPostController extends Base {
    constructor(@Inject(type) uploads: UploadType, host: HttpAdapterHost, ...rest: []) {
      super(uploads, host, ...rest);
    }

    @Post(path)
    @HttpCode(200)
    override chunk(@Req() request: unknown, @Res({ passthrough: true }) response: unknown) {
      return super.chunk(request, response);
    }

    @Post(`${path}_complete`)
    @HttpCode(200)
    override complete(@Req() request: unknown, @Res({ passthrough: true }) response: unknown) {
      return super.complete(request, response);
    }

    @Delete(path)
    @HttpCode(204)
    override cancel(@Req() request: unknown, @Res({ passthrough: true }) response: unknown) {
      return super.cancel(request, response);
    }
  }

  inheritInjections(FormPostController, formPostController ?? FormPostUploadsController);
  complement(FormPostController, path);
  for (const decorate of decorators) decorate(FormPostController);
  Object.defineProperty(FormPostController, 'name', { value: `${name}FormPostController` });
  return FormPostController;
}

function filterOf(type: symbol): Type<ProblemFilter> {
  class FormPostFilter extends ProblemFilter {
    constructor(host: HttpAdapterHost, @Inject(type) { door }: UploadType) {
      super(host, { ...FORM_POST_STATUSES, ...door.statusOverrides }, door);
    }
  }
  return FormPostFilter;
}

/** Describes the routes, and adds the methods they do not have. */
function complement(controller: Type<FormPostUploadsController>, path: string): void {
  documentOperations(controller, FORM_POST_OPERATIONS);
  const others = addOtherMethods(controller, {
    [path]: ['DELETE', 'POST'],
    [`${path}_complete`]: ['POST'],
  });
  documentOperations(controller, Object.fromEntries(others.map((method) => [method, null])));
}
