import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import type { AccessEnvironment } from './access-variables.js';
import type { ServerEnvironment } from './environment.js';

/** Where the API is described: a page under Express; the bare document is at this path and `-json` under both. */
export const DOCS_PATH = 'docs';

/** Serves the OpenAPI document of the app. */
export function describeApi(app: INestApplication, { adapter, access }: ServerEnvironment): void {
  const builder = new DocumentBuilder()
    .setTitle('Chunked uploads')
    .setDescription('Resumable uploads of files of any size: chunks by Content-Range, then complete.');
  requireSignIn(builder, access.by);
  SwaggerModule.setup(DOCS_PATH, app, () => SwaggerModule.createDocument(app, builder.build()), {
    // Its files need @fastify/static under Fastify.
    ui: adapter === 'express',
  });
}

/** Says how requests sign in, as far as OpenAPI has words for it: signed urls have none, an external server is known to itself. */
function requireSignIn(builder: DocumentBuilder, by: AccessEnvironment['by']): void {
  if (by === 'basic') builder.addBasicAuth().addSecurityRequirements('basic');
  if (by !== 'api-key') return;
  builder
    .addApiKey({ type: 'apiKey', in: 'header', name: 'X-Api-User' }, 'user')
    .addApiKey({ type: 'apiKey', in: 'header', name: 'X-Api-Key' }, 'key')
    .addSecurityRequirements({ user: [], key: [] });
}
