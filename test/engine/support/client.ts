import { createHash, randomBytes } from 'node:crypto';
import { type ClientRequest, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import type { Socket } from 'node:net';

/** Anything that listens: a test app, or a program a test started. */
export interface Target {
  readonly origin: string;
}

/** An answer, read whole. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
  /** The body as JSON; `{}` where it is none. */
  readonly body: Readonly<Record<string, unknown>>;
}

/** What to send. */
export interface Sending {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | string;
}

/** A request whose body the test sends bit by bit. */
export interface OpenRequest {
  /** Rejects when the connection breaks before an answer. */
  readonly answer: Promise<Answer>;
  send(bytes: Buffer): Promise<void>;
  end(): void;
  /** Ends the sending side in the middle of the body. */
  fin(): void;
  /** Resets the connection. */
  reset(): void;
}

export const md5 = (bytes: Buffer): string => createHash('md5').update(bytes).digest('hex');
export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
export const someBytes = (count: number): Buffer => randomBytes(count);

/** Waits until `condition` holds. */
export async function until(condition: () => boolean | Promise<boolean>, timeoutMs = 5_000): Promise<void> {
  for (const end = Date.now() + timeoutMs; !(await condition()); await sleep(10)) {
    if (Date.now() > end) throw new Error(`Still not so after ${timeoutMs} ms: ${condition.toString()}`);
  }
}

/** Opens a request and leaves its body to the caller. */
export function open({ origin }: Target, path: string, { method, headers }: Sending = {}): OpenRequest {
  let socket: Socket | undefined;
  const sent: ClientRequest = request(`${origin}${path}`, { agent: false, method, headers: { ...headers } });
  sent.once('socket', (given) => (socket = given));
  sent.setNoDelay(true);
  const answer = new Promise<Answer>((resolve, reject) => {
    sent.once('response', (response) => void readAnswer(response).then(resolve, reject)).on('error', reject);
  });
  answer.catch(() => undefined);
  return {
    answer,
    send: (bytes) => new Promise((resolve) => sent.write(bytes, () => resolve())),
    end: () => void sent.end(),
    fin: () => void socket?.end(),
    reset: () => void socket?.resetAndDestroy(),
  };
}

async function readAnswer(response: IncomingMessage): Promise<Answer> {
  const bytes = Buffer.concat((await response.toArray()) as Buffer[]);
  return { status: response.statusCode ?? 0, headers: response.headers, bytes, body: parse(bytes) };
}

function parse(bytes: Buffer): Answer['body'] {
  try {
    return JSON.parse(bytes.toString()) as Answer['body'];
  } catch {
    return {};
  }
}

export function call(target: Target, path: string, sending: Sending = {}): Promise<Answer> {
  const { body } = sending;
  const length: Record<string, string> =
    body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
  const opened = open(target, path, { ...sending, headers: { ...length, ...sending.headers } });
  if (body !== undefined) void opened.send(Buffer.from(body));
  opened.end();
  return opened.answer;
}

const range = (start: number, length: number, total: number | '*') =>
  length === 0 ? 'bytes */0' : `bytes ${start}-${start + length - 1}/${total}`;

/** Headers of a raw chunk. */
export function chunkHeaders(start: number, length: number, total: number | '*'): Record<string, string> {
  return {
    'content-type': 'application/octet-stream',
    'content-length': String(length),
    'content-range': range(start, length, total),
  };
}

/** Where a chunk goes: its upload's path, its first byte, the size of the file. */
export interface Place {
  readonly path?: string;
  readonly start?: number;
  readonly total?: number | '*';
  /** An empty value takes a header away. */
  /** An empty value takes a header away. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** PUTs a raw chunk; without `path` it creates. */
export function put(target: Target, bytes: Buffer, place: Place = {}): Promise<Answer> {
  const opened = openPut(target, bytes.length, place);
  void opened.send(bytes);
  opened.end();
  return opened.answer;
}

/** Opens a PUT of a raw chunk of `length` bytes. */
export function openPut(target: Target, length: number, place: Place = {}): OpenRequest {
  const { path = '/upload', start = 0, total = start + length, headers } = place;
  const all = Object.entries({ ...chunkHeaders(start, length, total), ...headers });
  return open(target, path, { method: 'PUT', headers: Object.fromEntries(all.filter(([, value]) => value)) });
}

const BOUNDARY = 'the-boundary';

/** The parts of a multipart chunk: what stands before the bytes of its file, and what behind. */
export function multipart(fields: Readonly<Record<string, string>> = {}): { head: Buffer; tail: Buffer } {
  const texts = Object.entries(fields).map(
    ([name, value]) => `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  );
  const file =
    `--${BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n` +
    'Content-Type: application/octet-stream\r\n\r\n';
  return { head: Buffer.from(texts.join('') + file), tail: Buffer.from(`\r\n--${BOUNDARY}--\r\n`) };
}

/** Opens a PUT of a multipart chunk whose file has `length` bytes. */
export function openForm(target: Target, length: number, place: Place = {}): OpenRequest {
  const { path = '/upload', start = 0, total = start + length } = place;
  const { head, tail } = multipart();
  const headers = {
    'content-type': `multipart/form-data; boundary=${BOUNDARY}`,
    'content-length': String(head.length + length + tail.length),
    'content-range': range(start, length, total),
  };
  return open(target, path, { method: 'PUT', headers });
}

/** PUTs a multipart chunk. */
export function putForm(target: Target, bytes: Buffer, place: Place = {}): Promise<Answer> {
  const { head, tail } = multipart();
  const opened = openForm(target, bytes.length, place);
  void opened.send(Buffer.concat([head, bytes, tail]));
  opened.end();
  return opened.answer;
}

/** Completes with the md5 of `bytes`. */
export function complete(target: Target, path: string, bytes: Buffer): Promise<Answer> {
  return call(target, path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ md5: md5(bytes) }),
  });
}

export const detail = (target: Target, path: string): Promise<Answer> => call(target, path);
export const cancel = (target: Target, path: string): Promise<Answer> =>
  call(target, path, { method: 'DELETE' });

/** What a finished upload holds. */
export async function content(target: Target, path: string): Promise<Buffer> {
  const { status, bytes } = await call(target, `${path}/content`);
  if (status !== 200) throw new Error(`${path}/content: ${status} ${bytes.toString()}`);
  return bytes;
}

/** Creates an upload of `total` bytes with its first ones; its path. */
export async function begin(target: Target, first: Buffer, total: number | '*'): Promise<string> {
  const { status, body } = await put(target, first, { total });
  if (status !== 200) throw new Error(`Creation failed: ${status} ${JSON.stringify(body)}`);
  return `/upload/${String(body.id)}`;
}
