import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import { type AddressInfo, type Socket, connect } from 'node:net';
import type { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { UploadError } from '../../errors/upload-error.js';
import { type MultipartBody, readMultipart } from './multipart-body.js';

const HEAD = '--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n';
const TAIL = '\r\n--b\r\nContent-Disposition: form-data; name="after"\r\n\r\n1\r\n--b--\r\n';
const LIMITS = { fileField: 'file' };

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

let server: Server;
let client: Socket;
let unhandled: unknown[];
const onUnhandled = (reason: unknown) => unhandled.push(reason);

beforeEach(async () => {
  unhandled = [];
  process.on('unhandledRejection', onUnhandled);
  server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  client.on('error', () => undefined);
});

afterEach(async () => {
  client.destroy();
  server.closeAllConnections();
  server.close();
  await sleep(20);
  process.off('unhandledRejection', onUnhandled);
  expect(unhandled).toEqual([]);
});

/** Sends the head of a request and the first bytes of its body, and waits for it on the other side. */
async function begin(bodyBytes: number | 'chunked', body: string | Buffer = ''): Promise<Exchange> {
  const arrival = once(server, 'request') as Promise<[IncomingMessage, ServerResponse]>;
  const framing = bodyBytes === 'chunked' ? 'Transfer-Encoding: chunked' : `Content-Length: ${bodyBytes}`;
  client.write(
    `PUT / HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\n${framing}\r\n\r\n`,
  );
  client.write(body);
  const [request, response] = await arrival;
  return { request, response };
}

const closeOf = (request: IncomingMessage) => new Promise<void>((resolve) => request.on('close', resolve));

const reasonOf = (promise: Promise<unknown>) =>
  promise.then(
    () => new Error('it resolved'),
    (error: unknown) => error,
  );

function listenersOf(request: IncomingMessage): number[] {
  return ['data', 'end', 'error', 'close', 'aborted', 'readable', 'pause', 'resume'].map((event) =>
    request.listenerCount(event),
  );
}

async function contentOf(body: MultipartBody): Promise<string> {
  const found = await body.file;
  return Buffer.concat((await found?.stream.toArray()) as Buffer[]).toString();
}

describe('readMultipart over a connection', () => {
  it('reads one form after the other and leaves no listener behind', async () => {
    for (const framing of [HEAD.length + 7 + TAIL.length, 'chunked'] as const) {
      const exchange = await begin(framing);
      const before = listenersOf(exchange.request);
      const body = readMultipart(exchange.request, LIMITS);
      const form = `${HEAD}content${TAIL}`;
      client.write(framing === 'chunked' ? `${form.length.toString(16)}\r\n${form}\r\n0\r\n\r\n` : form);
      expect(await contentOf(body)).toBe('content');
      expect(Object.fromEntries(await body.fields)).toEqual({ after: '1' });
      expect(listenersOf(exchange.request)).toEqual(before);
      exchange.response.end('done');
      await once(client, 'data');
    }
  });

  it('understands the forms that fetch sends', async () => {
    for (const filename of ['naïve 漢字 😀.txt', 'a "b" \\ c.txt', 'a\nb.txt', '100%.txt']) {
      const form = new FormData();
      form.append('upload_id', 'ü');
      form.append('file', new Blob(['content'], { type: 'Text/Plain' }), filename);
      form.append('after', '');
      const arrival = once(server, 'request') as Promise<[IncomingMessage, ServerResponse]>;
      const answer = fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, {
        method: 'PUT',
        body: form,
      });
      const [request, response] = await arrival;
      const body = readMultipart(request, LIMITS);
      const fieldsBefore = new Map([['upload_id', 'ü']]);
      expect(await body.file).toMatchObject({ filename, contentType: 'text/plain', fieldsBefore });
      expect(await contentOf(body)).toBe('content');
      expect(Object.fromEntries(await body.fields)).toEqual({ upload_id: 'ü', after: '' });
      response.end();
      expect((await answer).status).toBe(200);
    }
  });

  it('stops the client while nobody reads the file, and gives every byte when somebody does', async () => {
    const content = randomBytes(64 * 1024 * 1024);
    const { request } = await begin(HEAD.length + content.length + TAIL.length);
    client.write(HEAD);
    client.write(content);
    client.write(TAIL);
    const body = readMultipart(request, LIMITS);
    const stream = (await body.file)?.stream;
    await sleep(200);
    expect(request.socket.bytesRead).toBeLessThan(1024 * 1024);

    const hash = createHash('sha1');
    let heldBytes = 0;
    for await (const piece of stream ?? []) {
      hash.update(piece as Buffer);
      heldBytes = Math.max(heldBytes, (stream?.readableLength ?? 0) + request.readableLength);
      if (Math.random() < 0.02) await sleep(1);
    }
    expect(hash.digest('hex')).toBe(createHash('sha1').update(content).digest('hex'));
    expect(heldBytes).toBeLessThan(512 * 1024);
    expect((await body.fields).get('after')).toBe('1');
  });

  it('obeys pause and resume on the stream', async () => {
    const { request } = await begin(
      HEAD.length + 8_000_000 + TAIL.length,
      Buffer.concat([Buffer.from(HEAD), Buffer.alloc(8_000_000), Buffer.from(TAIL)]),
    );
    const stream = (await readMultipart(request, LIMITS).file)?.stream;
    let received = 0;
    stream?.on('data', (piece: Buffer) => {
      received += piece.length;
      stream.pause();
      setTimeout(() => stream.resume(), 1);
    });
    await sleep(20);
    expect(request.socket.bytesRead - received).toBeLessThan(512 * 1024);
    if (stream) await finished(stream);
    expect(received).toBe(8_000_000);
  });

  it('fails stream and fields with the error of the request when the client goes away', async () => {
    const { request } = await begin(1000, `${HEAD}half`);
    const before = listenersOf(request);
    const body = readMultipart(request, LIMITS);
    const stream = (await body.file)?.stream;
    const broken = stream && reasonOf(finished(stream.resume()));
    client.destroy();
    const error = await reasonOf(body.fields);
    expect(error).toMatchObject({ message: 'aborted', code: 'ECONNRESET' });
    expect(await broken).toBe(error);
    expect(UploadError.is(error)).toBe(false);
    expect(listenersOf(request)).toEqual(before);
  });

  it.each([
    ['before its file', ''],
    ['within its file, which nobody reads', `${HEAD}half`],
    ['within a field', `${HEAD}whole\r\n--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nhalf`],
  ])('a client that goes away %s harms nobody who is not looking', async (_, sent) => {
    const { request } = await begin(1000, sent);
    const body = readMultipart(request, LIMITS);
    await sleep(10);
    client.destroy();
    await closeOf(request);
    await sleep(20);
    expect(await reasonOf(body.fields)).toMatchObject({ code: 'ECONNRESET' });
  });

  it('a client that went away before is noticed, however it went', async () => {
    const { request } = await begin(1000, HEAD);
    client.destroy();
    await closeOf(request);
    const body = readMultipart(request, LIMITS);
    expect(await reasonOf(body.file)).toMatchObject({ code: 'ECONNRESET' });
    expect(await reasonOf(body.fields)).toMatchObject({ code: 'ECONNRESET' });
  });

  it('a request that somebody destroys is noticed, with the reason if there is one', async () => {
    const first = await begin(1000, `${HEAD}half`);
    const body = readMultipart(first.request, LIMITS);
    first.request.destroy();
    expect(await reasonOf(body.fields)).toMatchObject({ code: 'ECONNRESET' });

    client = connect((server.address() as AddressInfo).port, '127.0.0.1');
    const second = await begin(1000, `${HEAD}half`);
    const again = readMultipart(second.request, LIMITS);
    const reason = new Error('shutting down');
    second.request.destroy(reason);
    expect(await reasonOf(again.fields)).toBe(reason);
  });

  it('a message that is whole around a form that is not is the fault of the message', async () => {
    const { request } = await begin(HEAD.length + 4, `${HEAD}half`);
    const body = readMultipart(request, LIMITS);
    const stream = (await body.file)?.stream;
    const broken = stream && reasonOf(finished(stream.resume()));
    const error = await reasonOf(body.fields);
    expect(UploadError.is(error, 'malformed_request')).toBe(true);
    expect(await broken).toBe(error);
  });

  it('a half-closed connection is a broken one', async () => {
    const { request } = await begin(1000, `${HEAD}half`);
    const body = readMultipart(request, LIMITS);
    client.end();
    expect(await reasonOf(body.fields)).toMatchObject({ code: 'ECONNRESET' });
  });

  it('a form that is whole in a message that is not does not count', async () => {
    const form = `${HEAD}content${TAIL}`;
    const { request } = await begin(form.length + 1, form);
    const body = readMultipart(request, LIMITS);
    expect(await contentOf(body)).toBe('content');
    client.destroy();
    expect(await reasonOf(body.fields)).toMatchObject({ code: 'ECONNRESET' });
  });

  it('a body that somebody else has read is reported, not waited for', async () => {
    const { request } = await begin(4, 'read');
    await finished(request.resume());
    const body = readMultipart(request, LIMITS);
    expect(await reasonOf(body.file)).toMatchObject({
      message: 'The body of the request has already been read.',
    });
  });

  it('discard settles everything, reads no further and leaves an answer possible', async () => {
    const { request, response } = await begin(100_000_000, `${HEAD}x`);
    const before = listenersOf(request);
    const body = readMultipart(request, LIMITS);
    const stream = (await body.file)?.stream;
    body.discard();
    body.discard();
    expect(await reasonOf(body.fields)).toMatchObject({ message: 'The rest of the body is not wanted.' });
    expect(stream?.destroyed).toBe(true);
    expect(listenersOf(request)).toEqual(before);
    expect(request.isPaused()).toBe(true);
    client.write(Buffer.alloc(10_000_000));
    await sleep(50);
    expect(request.socket.bytesRead).toBeLessThan(1024 * 1024);
    response.setHeader('Connection', 'close').end('no');
    expect(String(await once(client, 'data'))).toContain('200 OK');
  });

  it('discard before the file has begun, and after everything is over', async () => {
    const { request } = await begin(1000, '');
    const early = readMultipart(request, LIMITS);
    early.discard();
    expect(await reasonOf(early.file)).toBe(await reasonOf(early.fields));

    const late = readMultipart(request, LIMITS);
    client.write(`${`${HEAD}content${TAIL}`.padEnd(1000)}`);
    expect(await contentOf(late)).toBe('content');
    await late.fields;
    late.discard();
    expect((await late.fields).get('after')).toBe('1');
  });

  it('destroying the stream discards the body', async () => {
    const { request } = await begin(1000, `${HEAD}half`);
    const body = readMultipart(request, LIMITS);
    const reason = new Error('disk full');
    (await body.file)?.stream.destroy(reason);
    expect(await reasonOf(body.fields)).toBe(reason);

    const again = readMultipart(request, LIMITS);
    client.write(`${HEAD}half`);
    for await (const piece of (await again.file)?.stream ?? []) {
      expect(piece).toBeDefined();
      break;
    }
    client.write('more');
  });

  it('an error in a consumer reaches the consumer, not the process', async () => {
    const { request } = await begin(1000, `${HEAD}first`);
    const body = readMultipart(request, LIMITS);
    const stream = (await body.file)?.stream;
    await once(stream as Readable, 'readable');
    stream?.read();
    stream?.on('data', () => {
      throw new Error('a mistake');
    });
    await sleep(10);
    client.write('bytes');
    expect(await reasonOf(body.fields)).toMatchObject({ message: 'a mistake' });
  });
});
