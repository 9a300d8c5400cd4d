import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Tells the benchmark, which started this process, where the server listens. */
export async function announce(server: Server): Promise<void> {
  server.requestTimeout = 0;
  if (!server.listening) await once(server, 'listening');
  console.log(`Listening on http://127.0.0.1:${(server.address() as AddressInfo).port}`);
}
