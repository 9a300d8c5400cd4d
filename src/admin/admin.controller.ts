import { Delete, Get, HttpCode, Param, Post, Req, Res } from '@nestjs/common';
import type { HttpAdapterHost } from '@nestjs/core';
import { HttpExchange } from '../protocols/http/http-exchange.js';
import { requireUploadId } from '../protocols/http/upload-id.js';
import type { AdminCleanup } from './admin-cleanup.js';
import { parseBulkRequest, parseCleanupRequest, parseExtendRequest } from './admin-command.request.js';
import { cursorOf, parseListRequest, parseUsageRequest } from './admin-list.request.js';
import { renderType } from './admin-types.response.js';
import {
  type AdminUploadBody,
  type AdminUploadDetail,
  renderBulk,
  renderCleanup,
  renderDetail,
  renderUpload,
  renderUsage,
} from './admin.response.js';
import type { UploadAdmin } from './upload-admin.js';

/** The methods each path has; every other one is answered 405. */
export const ADMIN_METHODS = {
  '': ['GET', 'HEAD'],
  bulk: ['POST'],
  cleanup: ['GET', 'HEAD', 'POST'],
  types: ['GET', 'HEAD'],
  usage: ['GET', 'HEAD'],
  ':type/:id': ['DELETE', 'GET', 'HEAD'],
  ':type/:id/extend': ['POST'],
} as const;

/** A page of the list. */
export interface AdminUploadPage {
  readonly items: readonly AdminUploadBody[];
  /** Give it back as `cursor` for the page behind this one; null on the last. */
  readonly next_cursor: string | null;
}

/** The routes for administrators. A subclass with path and guards is made for the app. */
export abstract class AdminController {
  constructor(
    private readonly admin: UploadAdmin,
    private readonly cleanups: AdminCleanup,
    private readonly host: HttpAdapterHost,
  ) {}

  @Get()
  async list(
    @Req() request: unknown,
    @Res({ passthrough: true }) response: unknown,
  ): Promise<AdminUploadPage> {
    const listed = parseListRequest(this.exchange(request, response));
    const found = await this.admin.list(listed);
    const page = found.slice(0, listed.limit);
    const last = page.at(-1);
    const isLast = found.length === page.length || !last;
    return { items: page.map(renderUpload), next_cursor: isLast ? null : cursorOf(last.upload, last.type) };
  }

  @Get('usage')
  async usage(@Req() request: unknown, @Res({ passthrough: true }) response: unknown): Promise<object> {
    return renderUsage(await this.admin.usage(parseUsageRequest(this.exchange(request, response))));
  }

  @Get('types')
  async types(@Req() request: unknown, @Res({ passthrough: true }) response: unknown): Promise<object> {
    this.exchange(request, response);
    return { items: await Promise.all([...this.admin.types].map((type) => renderType(type, request))) };
  }

  @Get('cleanup')
  lastCleanup(@Req() request: unknown, @Res({ passthrough: true }) response: unknown): object {
    this.exchange(request, response);
    return renderCleanup(this.cleanups.last);
  }

  @Post('cleanup')
  @HttpCode(200)
  async cleanup(@Req() request: unknown, @Res({ passthrough: true }) response: unknown): Promise<object> {
    const options = await parseCleanupRequest(this.exchange(request, response));
    for (const name of options.types ?? []) this.admin.requireType(name, 'malformed_request');
    return renderCleanup(await this.cleanups.run(options));
  }

  @Post('bulk')
  @HttpCode(200)
  async bulk(@Req() request: unknown, @Res({ passthrough: true }) response: unknown): Promise<object> {
    const { items, extension } = await parseBulkRequest(this.exchange(request, response));
    const results = await this.admin.bulk(items, (item) =>
      extension ? this.admin.extend(item, extension) : this.admin.delete(item),
    );
    return renderBulk(results);
  }

  @Get(':type/:id')
  async detail(
    @Req() request: unknown,
    @Res({ passthrough: true }) response: unknown,
    @Param() { type, id }: { type: string; id: string },
  ): Promise<AdminUploadDetail> {
    this.exchange(request, response);
    const sighting = await this.admin.find({ type, id: requireUploadId(id) });
    return renderDetail(sighting, await this.admin.stored(sighting));
  }

  @Delete(':type/:id')
  @HttpCode(204)
  async delete(
    @Req() request: unknown,
    @Res({ passthrough: true }) response: unknown,
    @Param() { type, id }: { type: string; id: string },
  ): Promise<void> {
    this.exchange(request, response);
    await this.admin.delete({ type, id: requireUploadId(id) });
  }

  @Post(':type/:id/extend')
  @HttpCode(200)
  async extend(
    @Req() request: unknown,
    @Res({ passthrough: true }) response: unknown,
    @Param() { type, id }: { type: string; id: string },
  ): Promise<AdminUploadBody> {
    const extension = await parseExtendRequest(this.exchange(request, response));
    return renderUpload(await this.admin.extend({ type, id: requireUploadId(id) }, extension));
  }

  /** Nothing here is for a cache: it is about everybody, and old at once. */
  private exchange(request: unknown, response: unknown): HttpExchange {
    const exchange = new HttpExchange(this.host.httpAdapter, request, response);
    exchange.setHeader('Cache-Control', 'no-store');
    return exchange;
  }
}
