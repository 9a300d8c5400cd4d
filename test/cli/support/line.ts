import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

const TICK_MS = 20;

/** A line to a server: counts what goes up, can be slow, and can be cut. */
export class Line {
  /** Bytes that clients sent so far, headers included. */
  sentBytes = 0;
  /** Bytes per second, of all connections together, in each direction. */
  bytesPerSecond = Infinity;
  private isCut = false;
  private budget = 0;
  private readonly sockets = new Set<Socket>();
  private readonly held = new Set<Socket>();
  private readonly timer = setInterval(() => this.refill(), TICK_MS);

  private constructor(
    private readonly server: Server,
    private readonly targetPort: number,
  ) {
    server.on('connection', (client) => this.join(client));
  }

  static async to(origin: string): Promise<Line> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new Line(server, Number(new URL(origin).port));
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Ends every connection, and every new one until {@link mend}. */
  cut(): void {
    this.isCut = true;
    for (const socket of this.sockets) socket.destroy();
  }

  mend(): void {
    this.isCut = false;
  }

  async close(): Promise<void> {
    clearInterval(this.timer);
    this.cut();
    this.server.close();
    await once(this.server, 'close');
  }

  private join(client: Socket): void {
    if (this.isCut) return void client.destroy();
    const server = connect(this.targetPort, '127.0.0.1');
    this.pump(client, server, (bytes) => (this.sentBytes += bytes));
    this.pump(server, client, () => undefined);
  }

  private pump(from: Socket, to: Socket, count: (bytes: number) => void): void {
    this.sockets.add(from);
    from.on('data', (bytes: Buffer) => {
      count(bytes.length);
      this.budget -= bytes.length;
      if (!to.write(bytes)) {
        from.pause();
        to.once('drain', () => from.resume());
      }
      if (this.budget < 0 && this.bytesPerSecond < Infinity) {
        from.pause();
        this.held.add(from);
      }
    });
    from.on('end', () => to.end());
    from.on('error', () => to.destroy());
    from.on('close', () => {
      this.sockets.delete(from);
      this.held.delete(from);
      to.destroy();
    });
  }

  private refill(): void {
    const share = Math.min(this.bytesPerSecond, Number.MAX_SAFE_INTEGER) * (TICK_MS / 1000);
    this.budget = Math.min(share, this.budget + share);
    if (this.budget < 0) return;
    for (const socket of this.held) socket.resume();
    this.held.clear();
  }
}
