import { Get, Injectable, Param, Req, Res, StreamableFile } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { AdminCleanup } from '../admin-cleanup.js';
import { parseListRequest } from '../admin-list.request.js';
import { ADMIN_METHODS, AdminController } from '../admin.controller.js';
import { UploadAdmin } from '../upload-admin.js';
import { UploadBoard } from './upload-board.js';

/** The methods of the API with its board. Files come first: a type and an id look like them. */
export const BOARD_METHODS = {
  events: ['GET', 'HEAD'],
  'board/:file': ['GET', 'HEAD'],
  ...ADMIN_METHODS,
} as const;

/** The routes for administrators, and the page that uses them. */
@Injectable()
export abstract class BoardController extends AdminController {
  constructor(
    admin: UploadAdmin,
    cleanups: AdminCleanup,
    host: HttpAdapterHost,
    private readonly board: UploadBoard,
  ) {
    super(admin, cleanups, host);
  }

  /** The page for a browser, JSON for everybody else. */
  @Get()
  override async list(
    @Req() request: unknown,
    @Res({ passthrough: true }) response: unknown,
  ): Promise<object | undefined> {
    const exchange = this.exchange(request, response);
    exchange.setHeader('Vary', 'Accept');
    return this.board.wantsPage(exchange) ? this.board.page(exchange) : super.list(request, response);
  }

  /** What becomes of a page of the list, as server-sent events. */
  @Get('events')
  events(@Req() request: unknown, @Res({ passthrough: true }) response: unknown): StreamableFile | undefined {
    const exchange = this.exchange(request, response);
    const listed = parseListRequest(exchange);
    if (listed.type !== undefined) this.admin.requireType(listed.type, 'malformed_request');
    exchange.setHeader('Content-Type', 'text/event-stream');
    // Neither compressed nor gathered on the way: an event that waits in a buffer is no news.
    exchange.setHeader('Cache-Control', 'no-store, no-transform');
    exchange.setHeader('X-Accel-Buffering', 'no');
    if (exchange.incoming.method === 'HEAD') return undefined;
    return new StreamableFile(this.board.follow(listed));
  }

  @Get('board/:file')
  file(
    @Req() request: unknown,
    @Res({ passthrough: true }) response: unknown,
    @Param('file') name: string,
  ): StreamableFile | undefined {
    return this.board.file(this.exchange(request, response), name);
  }
}
