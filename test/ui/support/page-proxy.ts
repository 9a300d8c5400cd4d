import { createServer, request as send, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** What reverse proxies do: it takes a prefix off the path, and is the line that gets slow or breaks. */
export class PageProxy {
  /** Bytes a second, for each request, from the browser to the server. */
  bytesPerSecond = Infinity;
  private readonly sockets = new Set<Socket>();

  private constructor(
    readonly prefix: string,
    private readonly target: () => string,
    private readonly server = createServer((request, response) => this.pass(request, response)),
  ) {
    server.on('connection', (socket: Socket) => {
      this.sockets.add(socket);
      socket.once('close', () => this.sockets.delete(socket));
    });
  }

  /** @param target origin of the server, which may be another one after a restart. */
  static async start(target: () => string, prefix = ''): Promise<PageProxy> {
    const proxy = new PageProxy(prefix, target);
    await new Promise<void>((resolve) => proxy.server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Breaks every connection. */
  cut(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.cut();
    await closed;
  }

  private pass(incoming: IncomingMessage, response: ServerResponse): void {
    const { url = '', method, headers } = incoming;
    if (!url.startsWith(`${this.prefix}/`)) return void response.writeHead(404).end();
    const outgoing = send(`${this.target()}${url.slice(this.prefix.length)}`, { method, headers });
    outgoing.on('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.on('error', () => response.destroy());
      answer.pipe(response);
    });
    outgoing.on('error', () => response.destroy());
    response.on('close', () => outgoing.destroy());
    this.forward(incoming, outgoing).catch(() => outgoing.destroy());
  }

  private async forward(incoming: IncomingMessage, outgoing: ReturnType<typeof send>): Promise<void> {
    let due = Date.now();
    for await (const bytes of incoming as AsyncIterable<Buffer>) {
      if (!outgoing.write(bytes)) await new Promise((resolve) => outgoing.once('drain', resolve));
      // By the clock, as sleeps last longer than they are told to on a busy machine.
      due = Math.max(due, Date.now() - 1000) + (bytes.length / this.bytesPerSecond) * 1000;
      if (due > Date.now()) await sleep(due - Date.now());
    }
    outgoing.end();
  }
}
