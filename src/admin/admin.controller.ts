import { Delete, Get, HttpCode, Injectable, Param, Post, Req, Res } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { HttpExchange } from '../protocols/http/http-exchange.js';
import { requireUploadId } from '../engine/upload-id.js';
import { AdminCleanup } from './admin-cleanup.js';
import { parseBulkRequest, parseCleanupRequest, parseExtendRequest } from './admin-command.request.js';
import { type CleanupBody, renderCleanup } from './admin-cleanup.response.js';
import { parseListRequest, parseUsageRequest } from './admin-list.request.js';
import { renderType } from './admin-types.response.js';
import { renderUsage, type UsageBody } from './admin-usage.response.js';
import {
  type AdminUploadBody,
  type AdminUploadDetail,
  type BulkResultBody,
  renderBulk,
  renderDetail,
  renderPage,
  renderUpload,
} from './admin.response.js';
import { UploadAdmin } from './upload-admin.js';

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

/** The routes for administrators. A subclass with path and guards is made for the app. */
@Injectable()
export abstract class AdminController {
  constructor(
    protected readonly admin: UploadAdmin,
    private readonly cleanups: AdminCleanup,
    private readonly host: HttpAdapterHost,
  ) {}

  @Get()
  async list(
    @Req() request: unknown,
    @Res({ passthrough: true }) response: unknown,
  ): Promise<object | undefined> {
    const listed = parseListRequest(this.exchange(request, response));
    return renderPage(await this.admin.list(listed), listed.limit);
  }

  @Get('usage')
  async usage(@Req() request: unknown, @Res({ passthrough: true }) response: unknown): Promise<UsageBody> {
    return renderUsage(await this.admin.usage(parseUsageRequest(this.exchange(request, response))));
  }

  @Get('types')
  async types(@Req() request: unknown, @Res({ passthrough: true }) response: unknown): Promise<object> {
    this.exchange(request, response);
    return { items: await Promise.all([...this.admin.types].map((type) => renderType(type, request))) };
  }

  @Get('cleanup')
  lastCleanup(@Req() request: unknown, @Res({ passthrough: true }) response: unknown): CleanupBody {
    this.exchange(request, response);
    return renderCleanup(this.cleanups);
  }

  @Post('cleanup')
  @HttpCode(200)
  async cleanup(
    @Req() request: unknown,
    @Res({ passthrough: true }) response: unknown,
  ): Promise<CleanupBody> {
    const options = await parseCleanupRequest(this.exchange(request, response));
    for (const name of options.types ?? []) this.admin.requireType(name, 'malformed_request');
    await this.cleanups.run(options);
    return renderCleanup(this.cleanups);
  }

  @Post('bulk')
  @HttpCode(200)
  async bulk(
    @Req() request: unknown,
    @Res({ passthrough: true }) response: unknown,
  ): Promise<BulkResultBody> {
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
  protected exchange(request: unknown, response: unknown): HttpExchange {
    const exchange = new HttpExchange(this.host.httpAdapter, request, response);
    exchange.setHeader('Cache-Control', 'no-store');
    return exchange;
  }
}
