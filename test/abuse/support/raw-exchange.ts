import { connect, type Socket } from 'node:net';

/** How one raw request went. */
export interface Outcome {
  /** Of the first final response; null when the connection ended without one. */
  readonly status: number | null;
  readonly text: string;
  /** Whether the connection was still open when the limit was over, although nothing more came from us. */
  readonly hung: boolean;
  readonly ms: number;
}

/** Nothing happened for this long: the request is one that waits for more. We say that there is none. */
const PATIENCE_MS = 1_000;

const isWhole = (received: string): boolean => {
  const final = received.replace(/^(?:HTTP\/1\.1 1\d\d [^]*?\r\n\r\n)+/, '');
  const end = final.indexOf('\r\n\r\n');
  if (end === -1) return false;
  const head = final.slice(0, end);
  const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1];
  if (length !== undefined) return final.length - end - 4 >= Number(length);
  return /\r\ntransfer-encoding: chunked/i.test(head) ? final.endsWith('0\r\n\r\n') : true;
};

/** Sends bytes on a connection of its own and waits until it has ended, however that comes. */
export function exchangeRaw(origin: string, bytes: Buffer, limitMs = 8_000): Promise<Outcome> {
  const { port } = new URL(origin);
  const startedAt = Date.now();
  return new Promise((resolve) => {
    let received = '';
    let isDone = false;
    const socket: Socket = connect(Number(port), '127.0.0.1');
    const finish = (hung: boolean) => {
      if (isDone) return;
      isDone = true;
      clearTimeout(limit);
      clearTimeout(patience);
      socket.destroy();
      const status = /^(?:HTTP\/1\.1 1\d\d [^]*?\r\n\r\n)*HTTP\/1\.1 (\d{3})/.exec(received)?.[1];
      resolve({
        status: status === undefined ? null : Number(status),
        text: received,
        hung,
        ms: Date.now() - startedAt,
      });
    };
    const limit = setTimeout(() => finish(true), limitMs);
    const patience = setTimeout(() => void socket.end(), PATIENCE_MS);
    socket.setEncoding('latin1');
    socket.on('data', (text) => {
      received += String(text);
      patience.refresh();
      if (isWhole(received)) finish(false);
    });
    socket.on('error', () => finish(false));
    socket.on('close', () => finish(false));
    socket.write(bytes);
  });
}
