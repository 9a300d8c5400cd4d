import type { Server } from 'node:http';
import { networkInterfaces } from 'node:os';
import type { DynamicModule, INestApplication, NestApplicationOptions } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter, type NestExpressApplication } from '@nestjs/platform-express';
import { uploadCors } from '../upload-cors.js';
import { AppModule } from './app.module.js';
import type { ServerEnvironment } from './environment.js';
import { describeApi } from './openapi.js';

/** What Nest logs once the server runs; its boot would hide the lines that matter. */
const LOG_LEVELS = ['fatal', 'error', 'warn'] as const;

/** The reference server's app, not listening yet. Rejects, instead of ending the process, when it cannot be made. */
export async function createApp(
  environment: ServerEnvironment,
  databaseUrl: string,
): Promise<INestApplication<Server>> {
  const app = await createOn(environment, AppModule.register(environment, databaseUrl));
  if (environment.cors) app.enableCors(uploadCors(environment.cors));
  describeApi(app, environment);
  return app;
}

/** Starts listening. From here on Nest's warnings and errors are logged. */
export async function listen(
  app: INestApplication<Server>,
  { port, host }: ServerEnvironment,
): Promise<void> {
  // Node's 300 s for a whole request would cut a slow upload that is well alive; `idleTimeout` ends a dead one.
  app.getHttpServer().requestTimeout = 0;
  await app.listen(port, host ?? anyAddress());
  app.useLogger([...LOG_LEVELS]);
}

function createOn(environment: ServerEnvironment, module: DynamicModule): Promise<INestApplication<Server>> {
  const options: NestApplicationOptions = { logger: false, abortOnError: false };
  return environment.adapter === 'fastify'
    ? createOnFastify(environment, module, options)
    : createOnExpress(environment, module, options);
}

async function createOnExpress(
  { trustProxy }: ServerEnvironment,
  module: DynamicModule,
  options: NestApplicationOptions,
): Promise<INestApplication<Server>> {
  // Nothing here has a body that Express could parse, or an answer that a digest of it would save.
  const lean = { ...options, bodyParser: false };
  const app = await NestFactory.create<NestExpressApplication>(module, new ExpressAdapter(), lean);
  app.set('trust proxy', trustProxy).set('etag', false).disable('x-powered-by');
  return app;
}

async function createOnFastify(
  { trustProxy }: ServerEnvironment,
  module: DynamicModule,
  options: NestApplicationOptions,
): Promise<INestApplication<Server>> {
  const { FastifyAdapter } = await import('@nestjs/platform-fastify');
  // Express takes a number of proxies as it is.
  const trusted = typeof trustProxy === 'number' ? (_: string, hop: number) => hop < trustProxy : trustProxy;
  return NestFactory.create(module, new FastifyAdapter({ trustProxy: trusted }), options);
}

/** All addresses, of IPv6 too where the machine has it. Said outright, since Fastify listens on localhost alone. */
function anyAddress(): string {
  const addresses = Object.values(networkInterfaces()).flat();
  return addresses.some((address) => address?.family === 'IPv6') ? '::' : '0.0.0.0';
}
