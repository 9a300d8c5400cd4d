import 'reflect-metadata';
import type { Server } from 'node:http';
import { rm } from 'node:fs/promises';
import { Controller, HttpCode, Module, Post, UploadedFile, UseInterceptors } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FileInterceptor } from '@nestjs/platform-express';
import { announce } from './announce.js';

/** Nest's own way: `FileInterceptor` with multer's disk storage. */
const [dest = '.'] = process.argv.slice(2);

@Controller('files')
class FilesController {
  @Post()
  @HttpCode(204)
  @UseInterceptors(FileInterceptor('file', { dest }))
  async upload(@UploadedFile() file: { readonly path: string }): Promise<void> {
    await rm(file.path);
  }
}

@Module({ controllers: [FilesController] })
class AppModule {}

const app = await NestFactory.create(AppModule, { logger: ['error'] });
await app.listen(0, '127.0.0.1');
await announce(app.getHttpServer() as Server);
