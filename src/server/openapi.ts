import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import type { ServerEnvironment } from './environment.js';

/** Where the API is described: a page under Express; the bare document is at this path and `-json` under both. */
export const DOCS_PATH = 'docs';

/** Serves the OpenAPI document of the app. */
export function describeApi(app: INestApplication, { adapter, users }: ServerEnvironment): void {
  const builder = new DocumentBuilder()
    .setTitle('Chunked uploads')
    .setDescription('Resumable uploads of files of any size: chunks by Content-Range, then complete.');
  if (users) builder.addBasicAuth().addSecurityRequirements('basic');
  SwaggerModule.setup(DOCS_PATH, app, () => SwaggerModule.createDocument(app, builder.build()), {
    // Its files need @fastify/static under Fastify.
    ui: adapter === 'express',
  });
}
