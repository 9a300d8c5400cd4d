import { createHash, type Hash } from 'node:crypto';
import { createWriteStream, fdatasync } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { promisify } from 'node:util';
import { announce } from './announce.js';
import { writeBatches } from './write-batches.js';

/**
 * What Node can do at most with the same chunks: no framework, no database, no checks, no recovery.
 *
 * `node bare.js <folder> <mode>`, mode: `discard`, `pipe`, or `writev` with any of `+md5`, `+sha256`, `+sync` behind it.
 */
const [folder = '.', mode = 'discard'] = process.argv.slice(2);
const [storing, ...extras] = mode.split('+');
const algorithm = extras.find((extra) => extra !== 'sync');
const isSynced = extras.includes('sync');

const syncData = promisify(fdatasync);

/** Of each upload, by its path: as cheap as remembering can be. */
const hashes = new Map<string, Hash>();

async function receive(request: IncomingMessage): Promise<void> {
  const start = Number(/^bytes (\d+)-/.exec(request.headers['content-range'] ?? '')?.[1]);
  const path = join(folder, `bare-${Number(request.url?.slice(1))}`);
  if (storing === 'discard') await finished(request.resume());
  else if (storing === 'pipe') {
    await finished(request.pipe(createWriteStream(path, { flags: start === 0 ? 'w' : 'r+', start })));
  } else await receiveBatched(request, path, start);
}

async function receiveBatched(request: IncomingMessage, path: string, start: number): Promise<void> {
  const file = await open(path, start === 0 ? 'w' : 'r+');
  try {
    await writeBatches(request, file.fd, { start, hash: hashAt(path, start) });
    if (isSynced) await syncData(file.fd);
  } finally {
    await file.close();
  }
}

function hashAt(path: string, start: number): Hash | null {
  if (!algorithm) return null;
  const hash = start === 0 ? createHash(algorithm) : hashes.get(path);
  if (!hash) throw new Error(`No chunk before byte ${start} of ${path}.`);
  hashes.set(path, hash);
  return hash;
}

async function forget(request: IncomingMessage): Promise<void> {
  const path = join(folder, `bare-${Number(request.url?.slice(1))}`);
  hashes.get(path)?.digest('hex');
  hashes.delete(path);
  await rm(path, { force: true });
}

const server = createServer((request, response) => {
  const isRemoval = request.method === 'DELETE';
  (isRemoval ? forget(request) : receive(request)).then(
    () => response.writeHead(isRemoval ? 204 : 200).end(),
    (error: unknown) => response.writeHead(500).end(String(error)),
  );
});
await announce(server.listen(0, '127.0.0.1'));
