import {
  type CanActivate,
  Controller,
  type ExecutionContext,
  Inject,
  type Type,
  UseFilters,
  UseGuards,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { UploadError } from '../errors/upload-error.js';
import { documentOperations } from '../protocols/http/openapi.js';
import { addOtherMethods } from '../protocols/http/other-methods.js';
import { ProblemFilter } from '../protocols/http/problem.filter.js';
import type { UploadAdminOptions } from './admin-options.js';
import { ADMIN_METHODS, AdminController } from './admin.controller.js';
import { ADMIN_OPERATIONS } from './admin.openapi.js';
import { ADMIN_STATUS_TABLE } from './admin.response.js';
import { BOARD_METHODS, BoardController } from './board/board.controller.js';

const READING = ['GET', 'HEAD', 'OPTIONS'];

/** Behind the app's guards: what only reads passes, whatever routes there will be. */
const readOnlyGuard: CanActivate = {
  canActivate(context: ExecutionContext): boolean {
    const { method } = context.switchToHttp().getRequest<{ method: string }>();
    if (READING.includes(method)) return true;
    throw new UploadError('forbidden', 'This admin API only reads: it was set up with readOnly.');
  },
};

/** The controller of one admin API: a class of its own, so that path, guards and metadata are its own. */
export function createAdminController(options: UploadAdminOptions): Type<AdminController> {
  const { path = 'admin/uploads', version, guards, decorators = [], board, readOnly } = options;

  class AdminFilter extends ProblemFilter {
    constructor(@Inject(HttpAdapterHost) host: HttpAdapterHost) {
      super(host, ADMIN_STATUS_TABLE);
    }
  }

  const Base = (board ? BoardController : AdminController) as Type<AdminController>;
  @Controller({ path, ...(version && { version }) })
  @UseGuards(...guards, ...(readOnly ? [readOnlyGuard] : []))
  @UseFilters(AdminFilter)
  class UploadAdminController extends Base {}

  const others = addOtherMethods(UploadAdminController, board ? BOARD_METHODS : ADMIN_METHODS);
  documentOperations(UploadAdminController, {
    ...ADMIN_OPERATIONS,
    // Of the page alone; what it shows has routes of the API.
    ...Object.fromEntries([...(board ? ['events', 'file'] : []), ...others].map((name) => [name, null])),
  });
  for (const decorate of decorators) decorate(UploadAdminController);
  return UploadAdminController;
}
