import { Delete, Get, Head, HttpCode, Param, Post, Put, Req, Res } from '@nestjs/common';
import type { StreamableFile } from '@nestjs/common';
import type { HttpAdapterHost } from '@nestjs/core';
import type { UploadType } from '../../upload-type.js';
import { HttpExchange } from '../http/http-exchange.js';
import { RestDoor, type UploadPage } from './rest.door.js';
import type { UploadBody } from './rest.response.js';

/** The methods each path has; every other one is answered 405. */
export const REST_METHODS = {
  '': ['DELETE', 'GET', 'HEAD', 'POST', 'PUT'],
  ':id': ['DELETE', 'GET', 'HEAD', 'POST', 'PUT'],
  ':id/content': ['GET', 'HEAD'],
} as const;

/**
 * The routes of the REST protocol. A subclass of its own, with path and guards, is made for each upload type. To change a
 * step, extend this class and name yours as the option `controller`; what its constructor has behind the two arguments
 * of this one is injected.
 */
export abstract class RestUploadsController {
  protected readonly door: RestDoor;

  constructor(
    type: UploadType,
    private readonly host: HttpAdapterHost,
  ) {
    this.door = new RestDoor(type);
  }

  @Put()
  @HttpCode(200)
  createByChunk(@Req() request: unknown, @Res({ passthrough: true }) response: unknown): Promise<UploadBody> {
    return this.door.chunk(this.exchange(request, response));
  }

  @Post()
  @HttpCode(200)
  createWhole(@Req() request: unknown, @Res({ passthrough: true }) response: unknown): Promise<unknown> {
    const exchange = this.exchange(request, response);
    return exchange.header('content-range') === undefined
      ? this.door.oneShot(exchange)
      : this.door.chunk(exchange);
  }

  @Get()
  list(@Req() request: unknown, @Res({ passthrough: true }) response: unknown): Promise<UploadPage> {
    return this.door.list(this.exchange(request, response));
  }

  @Delete()
  @HttpCode(204)
  async cancelNamed(@Req() request: unknown, @Res({ passthrough: true }) response: unknown): Promise<void> {
    await this.door.cancelNamed(this.exchange(request, response));
  }

  @Put(':id')
  @HttpCode(200)
  append(
    @Req() request: unknown,
    @Res({ passthrough: true }) response: unknown,
    @Param('id') id: string,
  ): Promise<UploadBody> {
    return this.door.nextChunk(this.exchange(request, response), id);
  }

  @Post(':id')
  @HttpCode(200)
  complete(
    @Req() request: unknown,
    @Res({ passthrough: true }) response: unknown,
    @Param('id') id: string,
  ): Promise<unknown> {
    const exchange = this.exchange(request, response);
    const isChunk = exchange.header('content-range') !== undefined;
    return isChunk ? this.door.nextChunk(exchange, id) : this.door.complete(exchange, id);
  }

  // Ahead of GET: Express gives HEAD to the first route that has GET.
  @Head(':id')
  async offset(
    @Req() request: unknown,
    @Res({ passthrough: true }) response: unknown,
    @Param('id') id: string,
  ): Promise<void> {
    await this.door.detail(this.exchange(request, response), id);
  }

  @Get(':id')
  detail(
    @Req() request: unknown,
    @Res({ passthrough: true }) response: unknown,
    @Param('id') id: string,
  ): Promise<UploadBody> {
    return this.door.detail(this.exchange(request, response), id);
  }

  @Delete(':id')
  @HttpCode(204)
  async cancel(
    @Req() request: unknown,
    @Res({ passthrough: true }) response: unknown,
    @Param('id') id: string,
  ): Promise<void> {
    await this.door.cancel(this.exchange(request, response), id);
  }

  @Head(':id/content')
  async contentHead(
    @Req() request: unknown,
    @Res({ passthrough: true }) response: unknown,
    @Param('id') id: string,
  ): Promise<void> {
    await this.door.content(this.exchange(request, response), id);
  }

  @Get(':id/content')
  content(
    @Req() request: unknown,
    @Res({ passthrough: true }) response: unknown,
    @Param('id') id: string,
  ): Promise<StreamableFile | undefined> {
    return this.door.content(this.exchange(request, response), id);
  }

  protected exchange(request: unknown, response: unknown): HttpExchange {
    return new HttpExchange(this.host.httpAdapter, request, response);
  }
}
