import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Injectable, Module } from '@nestjs/common';
import { ChunkedUpload, InjectUploads, UploadsService } from '../../src/index.js';
import { complete, content, put, someBytes } from '../engine/support/client.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

/** The core of the example in docs/migrating-from-django.md, "Storage without append". */
@Injectable()
class ToBucket {
  origin: string;

  constructor(@InjectUploads(ChunkedUpload) private readonly uploads: UploadsService) {}

  async move(): Promise<void> {
    for (const { id, offset } of await this.uploads.list({ status: 'complete' })) {
      const request: RequestInit & { duplex: 'half' } = {
        method: 'PUT',
        headers: { 'Content-Length': String(offset) },
        body: Readable.toWeb(await this.uploads.read(id)) as ReadableStream,
        duplex: 'half',
      };
      const stored = await fetch(`${this.origin}/${id}`, request);
      if (!stored.ok) throw new Error(`The bucket answered ${stored.status}.`);
      await this.uploads.delete(id);
    }
  }
}

@Module({ providers: [ToBucket] })
class BucketModule {}

describe('A store that cannot append', () => {
  let app: TestApp;
  let bucket: Server;
  let isFull = false;
  const objects = new Map<string, Buffer>();

  beforeEach(async () => {
    app = await startTestApp({ imports: [BucketModule] });
    bucket = createServer((request, response) => {
      void request.toArray().then((pieces) => {
        if (!isFull) objects.set(String(request.url).slice(1), Buffer.concat(pieces as Buffer[]));
        response.writeHead(isFull ? 507 : 200).end();
      });
    }).listen(0, '127.0.0.1');
    await once(bucket, 'listening');
    app.app.get(ToBucket).origin = `http://127.0.0.1:${(bucket.address() as AddressInfo).port}`;
  });

  afterEach(async () => {
    bucket.close();
    await app.close();
  });

  it('gets every file once, whole, when it is complete; until it has it, the file stays here', async () => {
    const file = someBytes(300_000);
    const half = file.subarray(0, 150_000);
    const first = await put(app, half, { total: file.length });
    const { id } = first.body as { id: string };
    const toBucket = app.app.get(ToBucket);
    await toBucket.move();
    expect(objects.size).toBe(0);
    await put(app, file.subarray(150_000), { path: `/upload/${id}`, start: 150_000, total: file.length });
    expect((await complete(app, `/upload/${id}`, file)).status).toBe(200);
    isFull = true;
    await expect(toBucket.move()).rejects.toThrow('507');
    expect((await content(app, `/upload/${id}`)).equals(file)).toBe(true);
    isFull = false;
    await toBucket.move();
    expect(objects.get(id)?.equals(file)).toBe(true);
    expect([await app.files(), await app.rows()]).toEqual([[], []]);
  });
});
