import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SERVER } from './contenders.js';
import { MIB, uploadAtOnce } from './experiment.js';
import { makeMaterial } from './material.js';
import { Progress } from './progress.js';
import { rest } from './protocols/rest.js';
import { ServerProcess } from './server-process.js';
import { withSite } from './site.js';

/**
 * Whether the slow hold up the fast: 20 clients send 1 MiB chunks, alone and beside 500 that send a kilobyte a second.
 * `npm run bench:slow`.
 */
const SLOW = 500;
const FAST = 20;
const ROUNDS = 5;
const SETTLE_MS = 5_000;

const progress = new Progress();
const { pattern, checksum } = makeMaterial();
const sizeBytes = 10 * MIB;
const job = { pattern, sizeBytes, chunkBytes: MIB, checksum: (name: string) => checksum(name, sizeBytes) };
const contender = {
  name: 'ours: defaults',
  protocol: rest({ checksum: 'md5' }),
  start: () => Promise.resolve(null),
};

await withSite(async ({ folder, createDatabase }) => {
  const server = await ServerProcess.start([SERVER], {
    PORT: '0',
    HOST: '127.0.0.1',
    DATA_DIR: join(folder, 'data'),
    DATABASE_URL: await createDatabase('bench_slow'),
  });
  const slow: Socket[] = [];
  try {
    const figures = [];
    for (let round = 0; round < 2 * ROUNDS; round++) {
      const isBeside = round % 2 === 1;
      progress.show(
        `round ${Math.floor(round / 2) + 1}/${ROUNDS}${isBeside ? ` beside ${SLOW} slow ones` : ''}`,
      );
      if (isBeside)
        slow.push(...(await Promise.all(Array.from({ length: SLOW }, () => trickle(server.origin)))));
      // The slow ones have their uploads now, and those of the round before are gone.
      await sleep(SETTLE_MS);
      const taken = Object.entries(await uploadAtOnce(contender, server, { job, count: FAST }));
      figures.push({
        isBeside,
        ...Object.fromEntries(taken.map(([name, value]) => [name, Math.round(value ?? NaN)])),
      });
      for (const socket of slow.splice(0)) socket.destroy();
    }
    progress.end();
    console.table(figures);
  } finally {
    for (const socket of slow) socket.destroy();
    await server.stop();
  }
});

/** A client that has begun to send a chunk of a mebibyte, a kilobyte a second. */
async function trickle(origin: string): Promise<Socket> {
  const { hostname, port } = new URL(origin);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  socket.on('error', () => undefined);
  socket.write(
    `PUT /upload?filename=slow.bin HTTP/1.1\r\nHost: ${hostname}\r\nContent-Length: ${MIB}\r\nContent-Range: bytes 0-${MIB - 1}/${MIB}\r\n\r\n`,
  );
  const timer = setInterval(() => socket.write(pattern.bytes.subarray(0, 1024)), 1000);
  socket.once('close', () => clearInterval(timer));
  return socket;
}
