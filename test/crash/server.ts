import 'reflect-metadata';
import type { AddressInfo } from 'node:net';
import type { ServerResponse } from 'node:http';
import { Module, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DataSource, type EntityManager } from 'typeorm';
import { ChunkedUploadModule, LocalStorage, UploadCleanup } from '../../src/index.js';
import { Failpoints } from './support/failpoints.js';
import { InstrumentedDriver, instrumentDataSource, instrumentFileSystem } from './support/instrument.js';
import type { Order, ServerOptions } from './support/server-process.js';

/**
 * A server that a test kills, or stops: a small app on the module, in a process of its own. It does nothing until its
 * parent orders it to start, so that the time a program takes to load is not part of a restart.
 */
const failpoints = new Failpoints();

/** What an app does in its completing transaction, for the test to count. */
const onComplete = async ({ id }: { id: string }, { manager }: { manager: EntityManager }): Promise<void> => {
  await manager.query('INSERT INTO effect (upload_id) VALUES ($1)', [id]);
};

function appModule({ databaseUrl, root, leaseTtlMs, poolSize }: ServerOptions): Type<object> {
  @Module({
    imports: [
      TypeOrmModule.forRoot({
        type: 'postgres',
        url: databaseUrl,
        autoLoadEntities: true,
        retryAttempts: 0,
        poolSize: poolSize ?? 10,
      }),
      ChunkedUploadModule.forRoot({
        anonymous: true,
        cleanup: false,
        storage: new InstrumentedDriver(new LocalStorage({ root }), failpoints),
        leaseTtl: leaseTtlMs,
        onComplete,
      }),
    ],
  })
  class CrashingModule {}
  return CrashingModule;
}

async function start(options: ServerOptions): Promise<{ origin: string; cleanup: UploadCleanup }> {
  instrumentFileSystem(failpoints);
  const app = await NestFactory.create(appModule(options), new ExpressAdapter(), { logger: ['error'] });
  instrumentDataSource(app.get(DataSource), failpoints);
  app.use((_request: unknown, response: ServerResponse, next: () => void) => {
    const end = response.end.bind(response) as (...given: unknown[]) => ServerResponse;
    response.end = ((...given: unknown[]) => {
      if (response.statusCode < 300) failpoints.reach('answer', 'before');
      return end(...given);
    }) as ServerResponse['end'];
    response.on('finish', () => failpoints.reach('answer', 'after'));
    next();
  });
  await app.listen(0, '127.0.0.1');
  const { port } = (app.getHttpServer() as { address(): AddressInfo }).address();
  return { origin: `http://127.0.0.1:${port}`, cleanup: app.get(UploadCleanup, { strict: false }) };
}

let started: ReturnType<typeof start> | undefined;

async function obey(order: Order): Promise<unknown> {
  switch (order.kind) {
    case 'start':
      return (await (started = start(order.options))).origin;
    case 'arm':
      return failpoints.arm(order.failpoint);
    case 'cleanup':
      return (await started)?.cleanup.run({ unfinished: true });
  }
}

process.on('message', (order: Order) => {
  obey(order).then(
    (result) => process.send?.({ id: order.id, result }),
    (error: unknown) => process.send?.({ id: order.id, error: String(error) }),
  );
});
// A server outlives no test.
process.on('disconnect', () => process.exit());
