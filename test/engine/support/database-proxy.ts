import { createServer, connect, type AddressInfo, type Socket } from 'node:net';

/** The way to the database, for tests to cut. */
export interface DatabaseProxy {
  /** The database's url, by way of the proxy. */
  readonly url: string;
  /** Breaks every connection, and every new one. */
  cut(): void;
  /** Lets nothing through any more, and closes nothing; connections of before only. */
  freeze(): void;
  /** Lets connections through again. */
  restore(): void;
  /** The next statement with `text` in it reaches the database and is done; its answer, and the connection, are lost. */
  loseAnswerTo(text: string): void;
  close(): Promise<void>;
}

/** Starts a proxy in front of the database that `url` names. */
export async function startDatabaseProxy(url: string): Promise<DatabaseProxy> {
  const target = new URL(url);
  const sockets = new Set<Socket>();
  let isCut = false;
  let doomed: string | null = null;
  const prepared = new Map<string, string>();
  /** What is sent, with the statements it names; each was sent in full once. */
  const textOf = (bytes: Buffer): string => {
    const sent = bytes.toString('latin1');
    for (const [name] of sent.matchAll(/chunked_upload_[0-9a-f]{32}/g)) {
      if (!prepared.has(name)) prepared.set(name, sent);
    }
    return [...prepared].reduce((text, [name, full]) => (sent.includes(name) ? text + full : text), sent);
  };
  const server = createServer((client) => {
    if (isCut) return client.destroy();
    const upstream = connect(Number(target.port || 5432), target.hostname);
    let isDoomed = false;
    for (const [socket, peer] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket);
      socket
        .on('error', () => undefined)
        .on('close', () => {
          sockets.delete(socket);
          peer.destroy();
        });
    }
    client.on('data', (bytes) => {
      const text = textOf(bytes);
      if (doomed !== null && text.includes(doomed)) {
        doomed = null;
        isDoomed = true;
      }
      upstream.write(bytes);
    });
    upstream.on('data', (bytes) => void (isDoomed ? client.destroy() : client.write(bytes)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const proxied = new URL(url);
  proxied.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const breakAll = () => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  return {
    url: proxied.href,
    cut: () => {
      isCut = true;
      breakAll();
    },
    freeze: () => sockets.forEach((socket) => void socket.pause()),
    restore: () => {
      isCut = false;
      sockets.forEach((socket) => void socket.resume());
    },
    loseAnswerTo: (text) => void (doomed = text),
    close: () =>
      new Promise((resolve) => {
        breakAll();
        server.close(() => resolve());
      }),
  };
}
