import { open, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { Busboy } from '@fastify/busboy';
import { announce } from './announce.js';
import { writeBatches } from './write-batches.js';

/** A bare multipart parser before the sink of `bare.ts`. */
const [folder = '.'] = process.argv.slice(2);

async function receive(request: IncomingMessage): Promise<void> {
  const path = join(folder, `busboy-${process.hrtime.bigint()}`);
  const headers = { ...request.headers, 'content-type': request.headers['content-type'] ?? '' };
  const parser = new Busboy({ headers });
  const target = await open(path, 'w');
  let written: Promise<void> = Promise.resolve();
  parser.on('file', (_, file) => {
    written = writeBatches(file, target.fd, { start: 0, hash: null });
  });
  await finished(request.pipe(parser));
  await written;
  await target.close();
  await rm(path, { force: true });
}

const server = createServer((request, response) => {
  receive(request).then(
    () => response.writeHead(204).end(),
    (error: unknown) => response.writeHead(500).end(String(error)),
  );
});
await announce(server.listen(0, '127.0.0.1'));
