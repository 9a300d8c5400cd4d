import 'reflect-metadata';
import type { IncomingMessage, Server as HttpServer, ServerResponse } from 'node:http';
import { type MiddlewareConsumer, Module, type NestModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FileStore } from '@tus/file-store';
import { Server } from '@tus/server';
import { announce } from './announce.js';

/** @tus/server inside a Nest app on Express, as people mount it: a middleware before the routes. */
const [directory = '.'] = process.argv.slice(2);
const tus = new Server({ path: '/files', datastore: new FileStore({ directory }) });

@Module({})
class AppModule implements NestModule {
  configure(consumer: MiddlewareConsumer): void {
    const handle = (request: IncomingMessage, response: ServerResponse) => void tus.handle(request, response);
    consumer.apply(handle).forRoutes('files', 'files/*id');
  }
}

const app = await NestFactory.create(AppModule, { logger: ['error'], bodyParser: false });
await app.listen(0, '127.0.0.1');
await announce(app.getHttpServer() as HttpServer);
