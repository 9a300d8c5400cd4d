import { createHash, randomBytes } from 'node:crypto';
import { type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from 'node:http';
import { connect, type Socket } from 'node:net';

/** A request as a test wants it on the wire: the path goes out as written. */
export interface Sending {
  readonly method?: string;
  readonly headers?: OutgoingHttpHeaders;
  /** Sent with its `Content-Length`; a list goes out in chunked encoding. */
  readonly body?: Buffer | string | readonly (Buffer | string)[];
}

/** A response, whole. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
  readonly text: string;
  /** The body as a JSON object; empty where it is none. */
  readonly json: Json;
}

/** A JSON object whose values a test asserts on. */
export type Json = Readonly<Record<string, unknown>>;

/** Nothing here takes longer; a request that hangs should not look like a slow test. */
const ANSWER_MS = 10_000;

/** Sends one request on a connection of its own. */
export function send(url: string, { method = 'GET', headers = {}, body }: Sending = {}): Promise<Answer> {
  // Not through URL: it would tidy up the path before the server sees it.
  const [, host = '', path = '/'] = /^http:\/\/([^/]+)(.*)$/s.exec(url) ?? [];
  const [hostname, port] = host.split(':');
  const pieces = Array.isArray(body) ? (body as readonly (Buffer | string)[]) : null;
  const whole = pieces || body === undefined ? undefined : Buffer.from(body as string);
  const framing: OutgoingHttpHeaders = whole ? { 'Content-Length': whole.length } : {};
  return new Promise((resolve, reject) => {
    const options = {
      hostname,
      port,
      path,
      method,
      headers: { ...framing, ...headers },
      agent: false,
    } as const;
    const outgoing = request(options, (incoming) => {
      const received: Buffer[] = [];
      incoming.on('data', (piece: Buffer) => received.push(piece));
      incoming.on('error', reject);
      incoming.on('end', () => {
        const bytes = Buffer.concat(received);
        resolve(answer(incoming.statusCode ?? 0, incoming.headers, bytes));
      });
    });
    outgoing.on('error', reject);
    outgoing.setTimeout(ANSWER_MS, () =>
      outgoing.destroy(new Error(`No answer to ${method} ${path.slice(0, 80)} in ${ANSWER_MS} ms`)),
    );
    for (const piece of pieces ?? []) outgoing.write(piece);
    outgoing.end(whole);
  });
}

function answer(status: number, headers: IncomingHttpHeaders, bytes: Buffer): Answer {
  const text = bytes.toString('utf8');
  return { status, headers, bytes, text, json: objectIn(text) };
}

function objectIn(text: string): Json {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Json) : {};
  } catch {
    return {};
  }
}

/** One part of a form; a file when it has a `filename`. */
export interface Part {
  readonly name: string;
  readonly value: Buffer | string;
  readonly filename?: string;
  readonly contentType?: string;
}

/** A form as browsers and curl send it, ready to be spread into {@link Sending}. */
export function form(...parts: readonly Part[]): { headers: { 'Content-Type': string }; body: Buffer } {
  const boundary = '----test7MA4YWxkTrZu0gW';
  const pieces = parts.flatMap(({ name, value, filename, contentType }) => [
    Buffer.from(
      `--${boundary}\r\nContent-Disposition: form-data; name="${name}"` +
        (filename === undefined ? '' : `; filename="${filename}"`) +
        (contentType === undefined ? '' : `\r\nContent-Type: ${contentType}`) +
        '\r\n\r\n',
    ),
    Buffer.from(value as string),
    Buffer.from('\r\n'),
  ]);
  return {
    headers: { 'Content-Type': `multipart/form-data; boundary=${boundary}` },
    body: Buffer.concat([...pieces, Buffer.from(`--${boundary}--\r\n`)]),
  };
}

/** A file part as most clients send it. */
export function file(value: Buffer | string, filename = 'a.bin', name = 'file'): Part {
  return { name, value, filename, contentType: 'application/octet-stream' };
}

/** `bytes 0-9/20`. */
export function contentRange(start: number, length: number, total: number | '*'): string {
  return length === 0 && total === 0 ? 'bytes */0' : `bytes ${start}-${start + length - 1}/${total}`;
}

export function hash(algorithm: string, bytes: Buffer | string): string {
  return createHash(algorithm).update(bytes).digest('hex');
}

export const md5 = (bytes: Buffer | string): string => hash('md5', bytes);

/** Bytes that no parser, compressor or truncation leaves alone. */
export const noise = (length: number): Buffer => randomBytes(length);

/** Requests of one client on one upload route. */
export class UploadClient {
  /** @param headers Sent with every request, such as who is calling. */
  constructor(
    readonly base: string,
    private readonly headers: OutgoingHttpHeaders = {},
  ) {}

  as(headers: OutgoingHttpHeaders): UploadClient {
    return new UploadClient(this.base, { ...this.headers, ...headers });
  }

  send(path: string, { headers, ...rest }: Sending = {}): Promise<Answer> {
    return send(`${this.base}${path}`, { ...rest, headers: { ...this.headers, ...headers } });
  }

  /** `PUT` of the bytes of `whole` from `start`, `length` of them, as a raw body. */
  put(
    path: string,
    whole: Buffer | string,
    window: { start?: number; length?: number; total?: number | '*' } = {},
    headers: OutgoingHttpHeaders = {},
  ): Promise<Answer> {
    const bytes = Buffer.from(whole as string);
    const { start = 0, length = bytes.length - start, total = bytes.length } = window;
    return this.send(path, {
      method: 'PUT',
      headers: { 'Content-Range': contentRange(start, length, total), ...headers },
      body: bytes.subarray(start, start + length),
    });
  }

  /** Creates an upload with its first chunk and returns its id. */
  async create(
    whole: Buffer | string,
    { length, query = '', ...headers }: OutgoingHttpHeaders & { length?: number; query?: string } = {},
  ): Promise<string> {
    const created = await this.put(query, whole, length === undefined ? {} : { length }, headers);
    if (created.status !== 200) throw new Error(`Creating failed: ${created.status} ${created.text}`);
    return created.json.id as string;
  }

  /** `POST` of a JSON object to an upload. */
  complete(id: string, fields: object): Promise<Answer> {
    return this.post(`/${id}`, fields);
  }

  post(path: string, fields: object, headers: OutgoingHttpHeaders = {}): Promise<Answer> {
    const body = JSON.stringify(fields);
    return this.send(path, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...headers },
      body,
    });
  }

  /** Creates and completes an upload; returns its id. */
  async store(
    whole: Buffer | string,
    headers: OutgoingHttpHeaders & { query?: string } = {},
  ): Promise<string> {
    const id = await this.create(whole, headers);
    const completed = await this.complete(id, { md5: md5(whole) });
    if (completed.status !== 200) throw new Error(`Completing failed: ${completed.status} ${completed.text}`);
    return id;
  }
}

/** A bare connection, for what no HTTP client sends. */
export class RawConnection {
  received = '';
  isClosed = false;
  private readonly socket: Socket;
  private wake: () => void = () => undefined;

  constructor(origin: string) {
    const { hostname, port } = new URL(origin);
    this.socket = connect(Number(port), hostname);
    this.socket.setEncoding('latin1');
    this.socket.on('data', (text: string) => {
      this.received += text;
      this.wake();
    });
    this.socket.on('error', () => undefined);
    this.socket.on('close', () => {
      this.isClosed = true;
      this.wake();
    });
  }

  /** Sends the head of a request, `Host` included. */
  head(requestLine: string, headers: OutgoingHttpHeaders): this {
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${String(value)}`);
    return this.write([`${requestLine} HTTP/1.1`, 'Host: 127.0.0.1', ...lines, '', ''].join('\r\n'));
  }

  write(bytes: string | Buffer): this {
    this.socket.write(bytes);
    return this;
  }

  /** Sends `bytes` and waits until the other side has taken all but what fits into the sockets' buffers. */
  async flush(bytes: Buffer, ms: number): Promise<void> {
    this.socket.write(bytes);
    const deadline = Date.now() + ms;
    while (this.socket.writableLength > 0 && !this.isClosed) {
      if (Date.now() > deadline)
        throw new Error(`${this.socket.writableLength} bytes were not taken in ${ms} ms`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** Says that nothing more comes, and keeps listening. */
  end(): this {
    this.socket.end();
    return this;
  }

  /** What has arrived when it matches; fails when the connection ends, or `ms` pass, before that. */
  async until(pattern: RegExp, ms = 5000): Promise<string> {
    const deadline = Date.now() + ms;
    while (!pattern.test(this.received)) {
      const left = deadline - Date.now();
      if (left <= 0) throw new Error(`No ${pattern} in ${ms} ms, but ${JSON.stringify(this.received)}`);
      if (this.isClosed) throw new Error(`Closed before ${pattern}: ${JSON.stringify(this.received)}`);
      await this.next(left);
    }
    return this.received;
  }

  /** The final response: status, and its JSON body. `100 Continue` stays in {@link received}. */
  async answer(ms = 5000): Promise<{ status: number; json: Json; head: string }> {
    const final = /(?:^|\r\n\r\n)(HTTP\/1\.1 (?!1\d\d)(\d+)[^]*?)\r\n\r\n([^]*)$/;
    const isWhole = () => {
      const [, head = '', , body = ''] = final.exec(this.received) ?? [];
      const length = Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0);
      return head !== '' && body.length >= length;
    };
    const deadline = Date.now() + ms;
    while (!isWhole()) {
      const left = deadline - Date.now();
      if (left <= 0) throw new Error(`No answer in ${ms} ms, but ${JSON.stringify(this.received)}`);
      if (this.isClosed) throw new Error(`Closed without answer: ${JSON.stringify(this.received)}`);
      await this.next(left);
    }
    const [, head = '', status, body = ''] = final.exec(this.received) ?? [];
    return { status: Number(status), head, json: objectIn(Buffer.from(body, 'latin1').toString('utf8')) };
  }

  /** Waits for the server to close; false when it did not within `ms`. */
  async closed(ms: number): Promise<boolean> {
    const deadline = Date.now() + ms;
    while (!this.isClosed && Date.now() < deadline) await this.next(deadline - Date.now());
    return this.isClosed;
  }

  destroy(): void {
    this.socket.destroy();
  }

  private next(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** Waits until `assertion` holds; fails with its error when it does not within `ms`. */
export async function eventually(assertion: () => Promise<void>, ms = 5000): Promise<void> {
  for (const deadline = Date.now() + ms; ;) {
    try {
      return await assertion();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
