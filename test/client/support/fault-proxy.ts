import {
  type ClientRequest,
  createServer,
  type IncomingMessage,
  request,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

/** What goes wrong with one request. */
export interface Fault {
  /** Which request: the first whose method is this, and whose path this expression finds. */
  readonly method: string;
  readonly path?: RegExp;
  /** How many requests let pass before. @default 0 */
  readonly after?: number;
  /** How many it hits. @default 1 */
  readonly times?: number;
  /** The connection breaks when so many bytes of the body have gone through. */
  readonly cutAfterBytes?: number;
  /** The server gets the request; the client never gets the answer. */
  readonly dropsAnswer?: boolean;
  /** The answer comes so many ms late. */
  readonly delayMs?: number;
  /** Answered here, without the server. */
  readonly answer?: {
    readonly status: number;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: string;
  };
}

/** A request that went through, or tried to. */
export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly at: number;
  /** Bytes of the body that were let through. */
  bytes: number;
  /** Status that the client was told; 0 for none. */
  status: number;
}

/** Serves a path itself, such as the page of a test; false for what the server should get. */
export type Local = (path: string, response: ServerResponse) => boolean;

/** Stands between client and server, and does what networks do. */
export class FaultProxy {
  /** In the order they came. */
  seen: Seen[] = [];
  /** Connections are refused as long as this is set. */
  isDown = false;
  /** Bytes per second of bodies, in all; 0 for no limit. */
  bytesPerSecond = 0;
  private faults: { fault: Fault; skipped: number; hits: number }[] = [];
  private readonly sockets = new Set<Socket>();
  private readonly passing = new Set<ClientRequest>();
  private readonly server = createServer((incoming, response) => void this.pass(incoming, response));

  private constructor(
    private readonly target: URL,
    private readonly local: Local,
  ) {
    this.server.requestTimeout = 0;
    this.server.on('connection', (socket) => {
      if (this.isDown) socket.destroy();
      this.sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => this.sockets.delete(socket));
    });
  }

  static async start(origin: string, local: Local = () => false): Promise<FaultProxy> {
    const proxy = new FaultProxy(new URL(origin), local);
    await new Promise<void>((resolve) => proxy.server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Whether the server is at a request. */
  get isBusy(): boolean {
    return this.passing.size > 0;
  }

  fail(fault: Fault): void {
    this.faults.push({ fault, skipped: 0, hits: 0 });
  }

  /** As new. */
  reset(): void {
    this.seen = [];
    this.faults = [];
    this.isDown = false;
    this.bytesPerSecond = 0;
  }

  /** All connections break, and no new ones are taken, until {@link isDown} is unset. */
  goDown(): void {
    this.isDown = true;
    for (const socket of this.sockets) socket.destroy();
  }

  async stop(): Promise<void> {
    this.goDown();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async pass(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url: path = '', headers } = incoming;
    if (this.local(path, response)) return;
    const seen: Seen = { method, path, headers, at: Date.now(), bytes: 0, status: 0 };
    this.seen.push(seen);
    const fault = this.faultFor(seen);
    if (fault?.answer) return this.answer(incoming, response, { seen, answer: fault.answer });
    const { hostname, port } = this.target;
    const outgoing = request({ hostname, port, path, method, headers, agent: false });
    this.passing.add(outgoing);
    outgoing.on('close', () => this.passing.delete(outgoing));
    outgoing.on('error', () => response.destroy());
    outgoing.on('response', (answer) => void this.relay(answer, response, { seen, fault }));
    response.on('close', () => {
      if (!response.writableFinished && !fault?.dropsAnswer) outgoing.destroy();
    });
    await this.send(incoming, outgoing, { seen, fault }).catch(() => outgoing.destroy());
  }

  private faultFor({ method, path }: Seen): Fault | null {
    for (const each of this.faults) {
      const { fault } = each;
      if (fault.method !== method || !(fault.path ?? /^/).test(path) || each.hits >= (fault.times ?? 1))
        continue;
      if (each.skipped++ < (fault.after ?? 0)) continue;
      each.hits += 1;
      return fault;
    }
    return null;
  }

  private async send(
    incoming: IncomingMessage,
    outgoing: ClientRequest,
    { seen, fault }: { seen: Seen; fault: Fault | null },
  ): Promise<void> {
    for await (const piece of incoming) {
      const room = (fault?.cutAfterBytes ?? Infinity) - seen.bytes;
      const bytes = (piece as Buffer).subarray(0, room);
      if (this.bytesPerSecond > 0) await sleep((bytes.length / this.bytesPerSecond) * 1000);
      if (!outgoing.write(bytes)) await Promise.race([drained(outgoing), sleep(1000)]);
      seen.bytes += bytes.length;
      if ((piece as Buffer).length <= room) continue;
      await sleep(50);
      outgoing.destroy();
      incoming.socket.destroy();
      return;
    }
    outgoing.end();
  }

  private async relay(
    answer: IncomingMessage,
    response: ServerResponse,
    { seen, fault }: { seen: Seen; fault: Fault | null },
  ): Promise<void> {
    if (fault?.delayMs) await sleep(fault.delayMs);
    if (fault?.dropsAnswer) {
      answer.resume();
      response.destroy();
      return;
    }
    seen.status = answer.statusCode ?? 0;
    response.writeHead(seen.status, answer.headers);
    answer.on('error', () => response.destroy());
    answer.pipe(response);
  }

  private async answer(
    incoming: IncomingMessage,
    response: ServerResponse,
    { seen, answer }: { seen: Seen; answer: NonNullable<Fault['answer']> },
  ): Promise<void> {
    for await (const piece of incoming) seen.bytes += (piece as Buffer).length;
    seen.status = answer.status;
    response.writeHead(answer.status, answer.headers).end(answer.body);
  }
}

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const drained = (outgoing: ClientRequest) => new Promise<void>((resolve) => outgoing.once('drain', resolve));
