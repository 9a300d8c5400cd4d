import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import { type AddressInfo, type Socket, connect } from 'node:net';
import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import fc from 'fast-check';
import { UploadError } from '../../errors/upload-error.js';
import { readFields } from './form-body.js';

const JSON_TYPE = 'application/json';
const FORM_TYPE = 'application/x-www-form-urlencoded';

function requestOf(
  body: string | Buffer | readonly Buffer[],
  headers: IncomingMessage['headers'],
): IncomingMessage {
  const pieces = Array.isArray(body) ? (body as Buffer[]) : [Buffer.from(body as string)];
  return Object.assign(Readable.from(pieces), { headers }) as unknown as IncomingMessage;
}

async function read(
  contentType: string | undefined,
  body: string | Buffer,
): Promise<Record<string, unknown>> {
  const request = requestOf(body, contentType === undefined ? {} : { 'content-type': contentType });
  return Object.fromEntries(await readFields(request));
}

async function refusal(contentType: string | undefined, body: string | Buffer): Promise<UploadError> {
  const outcome: unknown = await read(contentType, body).catch((error: unknown) => error);
  if (UploadError.is(outcome)) return outcome;
  throw new Error(`read ${JSON.stringify(outcome)}`);
}

describe('a JSON body', () => {
  it.each(['application/json', 'Application/JSON; charset=utf-8'])('is read as %s', async (type) => {
    expect(await read(type, '{"md5":"x","größe":"漢"}')).toEqual({ md5: 'x', größe: '漢' });
  });

  it('keeps the types that JSON has, for the caller to judge', async () => {
    const values = { a: 1, b: ['x'], c: { d: 'e' }, f: null, g: true };
    expect(await read(JSON_TYPE, JSON.stringify(values))).toEqual(values);
  });

  it('cannot reach a prototype', async () => {
    const request = requestOf('{"__proto__":{"polluted":true},"constructor":"x"}', {
      'content-type': JSON_TYPE,
    });
    const fields = await readFields(request);
    expect([...fields.keys()]).toEqual(['__proto__', 'constructor']);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it.each([
    ['{"md5":"x"', 'is not JSON'],
    ['md5=x', 'is not JSON'],
    ['{"md5":"x"}{}', 'is not JSON'],
    [' ', 'is not JSON'],
    ['{"a\u0000":1', 'is not JSON'],
    ['[1]', 'no JSON object'],
    ['"md5"', 'no JSON object'],
    ['null', 'no JSON object'],
    ['1', 'no JSON object'],
  ])('%j is refused', async (body, message) => {
    const error = await refusal(JSON_TYPE, body);
    expect(error.code).toBe('malformed_request');
    expect(error.message).toContain(message);
    expect(error.message.length).toBeLessThan(250);
  });

  it('is refused when it is nested as deep as it is long', async () => {
    expect((await refusal(JSON_TYPE, '['.repeat(16_000))).message).toContain('is not JSON');
    expect((await refusal(JSON_TYPE, `${'['.repeat(8_000)}${']'.repeat(8_000)}`)).message).toContain(
      'no JSON object',
    );
  });

  it('is refused when it is not UTF-8', async () => {
    expect((await refusal(JSON_TYPE, Buffer.from('{"a":"\xff"}', 'latin1'))).message).toBe(
      'The body is not UTF-8.',
    );
  });
});

describe('a urlencoded form', () => {
  it.each([
    ['md5=x&upload_id=y', { md5: 'x', upload_id: 'y' }],
    ['a=1&&b=&c&', { a: '1', b: '', c: '' }],
    ['a+b=c+d%2B', { 'a b': 'c d+' }],
    ['a=b=c', { a: 'b=c' }],
    ['n=na%C3%AFve+%E6%BC%A2', { n: 'naïve 漢' }],
    ['n=naïve', { n: 'naïve' }],
    ['a[b]=c', { 'a[b]': 'c' }],
    ['=x', { '': 'x' }],
  ])('%s is read', async (body, fields) => {
    expect(await read(FORM_TYPE, body)).toEqual(fields);
  });

  it.each([
    ['a=1&a=2', 'two fields "a"'],
    ['a=1&%61=2', 'two fields "a"'],
    ['a=100%', '"100%" is not percent-encoded UTF-8'],
    ['a=%ff', 'is not percent-encoded UTF-8'],
    ['%zz=1', 'is not percent-encoded UTF-8'],
    ['a=%ED%A0%80', 'is not percent-encoded UTF-8'],
  ])('%s is refused', async (body, message) => {
    expect(await refusal(FORM_TYPE, body)).toMatchObject({
      code: 'malformed_request',
      message: expect.stringContaining(message),
    });
  });

  it('gives back what URLSearchParams writes', async () => {
    const name = fc.string({ unit: 'grapheme-composite', maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(fc.dictionary(name, name, { maxKeys: 8 }), async (fields) => {
        const entries = Object.entries(fields);
        const fieldsRead = await readFields(
          requestOf(new URLSearchParams(entries).toString(), { 'content-type': FORM_TYPE }),
        );
        expect([...fieldsRead]).toEqual(entries);
      }),
    );
  });
});

describe('a multipart form', () => {
  const type = 'multipart/form-data; boundary=b';
  const part = (disposition: string) => `--b\r\nContent-Disposition: form-data; ${disposition}\r\n\r\nx\r\n`;

  it('is read when it has no file', async () => {
    expect(await read(type, `${part('name="md5"')}${part('name="upload_id"')}--b--`)).toEqual({
      md5: 'x',
      upload_id: 'x',
    });
  });

  it('is refused with a file, a field twice, or without its end', async () => {
    expect((await refusal(type, `${part('name="file"; filename="a"')}--b--`)).message).toContain(
      'none is expected here',
    );
    expect((await refusal(type, `${part('name="a"')}${part('name="a"')}--b--`)).message).toContain(
      'two fields "a"',
    );
    expect((await refusal(type, part('name="a"'))).code).toBe('malformed_request');
    expect((await refusal('multipart/form-data', part('name="a"'))).message).toContain(
      'no readable boundary',
    );
  });

  it('is refused beyond 16 KiB', async () => {
    const preamble = 'x'.repeat(17_000);
    expect(await refusal(type, `${preamble}\r\n${part('name="a"')}--b--`)).toMatchObject({
      code: 'body_too_large',
      details: { limitBytes: 16_384 },
    });
  });
});

describe('any body', () => {
  it.each([undefined, JSON_TYPE, FORM_TYPE, 'text/plain', 'nonsense'])(
    'has no fields when it is empty (%s)',
    async (type) => {
      expect(await read(type, '')).toEqual({});
    },
  );

  it('has no fields when it is a multipart form of no bytes', async () => {
    const headers = { 'content-type': 'multipart/form-data; boundary=b', 'content-length': '0' };
    expect((await readFields(requestOf([], headers))).size).toBe(0);
  });

  it.each([undefined, 'text/plain', 'application/octet-stream', 'application/json, text/plain', 'nonsense'])(
    'is refused as %s, naming what is accepted',
    async (type) => {
      const error = await refusal(type, 'md5=x');
      expect(error.code).toBe('malformed_request');
      expect(error.message).toContain(
        'application/json, application/x-www-form-urlencoded or multipart/form-data',
      );
    },
  );

  it('is read up to 16 KiB and no further', async () => {
    const json = (length: number) => JSON.stringify({ a: 'x'.repeat(length - 8) });
    expect(json(16_384)).toHaveLength(16_384);
    expect(await read(JSON_TYPE, json(16_384))).toHaveProperty('a');
    expect(await refusal(JSON_TYPE, json(16_385))).toMatchObject({
      code: 'body_too_large',
      details: { limitBytes: 16_384 },
    });
    let taken = 0;
    const endless = Readable.from(
      (function* () {
        for (;;) {
          taken += 1;
          yield Buffer.alloc(1024);
        }
      })(),
    );
    const request = Object.assign(endless, { headers: {} }) as unknown as IncomingMessage;
    await expect(readFields(request)).rejects.toMatchObject({ code: 'body_too_large' });
    expect(taken).toBeLessThan(64);
  });

  it('is refused by its announced length before it is read, and when it is encoded', async () => {
    const request = requestOf('{}', { 'content-type': JSON_TYPE, 'content-length': '16385' });
    await expect(readFields(request)).rejects.toMatchObject({ code: 'body_too_large' });
    expect(request.readableFlowing).toBeNull();
    const encoded = requestOf('{}', { 'content-type': JSON_TYPE, 'content-encoding': 'gzip' });
    await expect(readFields(encoded)).rejects.toMatchObject({ code: 'encoding_not_supported' });
  });

  it('is put together from any pieces', async () => {
    const pieces = [...Buffer.from('{"größe":"漢字"}')].map((byte) => Buffer.from([byte]));
    expect([...(await readFields(requestOf(pieces, { 'content-type': JSON_TYPE })))]).toEqual([
      ['größe', '漢字'],
    ]);
  });
});

describe('over a connection', () => {
  let server: Server;
  let client: Socket;

  beforeEach(async () => {
    server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  });

  afterEach(() => {
    client.destroy();
    server.closeAllConnections();
    server.close();
  });

  async function begin(head: string): Promise<IncomingMessage> {
    client.write(`POST / HTTP/1.1\r\nHost: x\r\nContent-Type: ${JSON_TYPE}\r\n${head}`);
    return ((await once(server, 'request')) as [IncomingMessage, ServerResponse])[0];
  }

  const listenersOf = (request: IncomingMessage) =>
    ['data', 'end', 'error', 'close'].map((event) => request.listenerCount(event));

  it('reads a body, even of a request that was paused, and leaves no listener behind', async () => {
    const request = await begin('Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n');
    const before = listenersOf(request);
    request.pause();
    expect((await readFields(request)).size).toBe(0);
    expect(listenersOf(request)).toEqual(before);
  });

  it('rejects when the client goes away, or has gone', async () => {
    const request = await begin('Content-Length: 100\r\n\r\n{');
    const before = listenersOf(request);
    const reading = readFields(request);
    client.destroy();
    await expect(reading).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(listenersOf(request)).toEqual(before);
    await expect(readFields(request)).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  it('rejects when somebody destroys the request', async () => {
    const request = await begin('Content-Length: 100\r\n\r\n{');
    const reading = readFields(request);
    request.destroy();
    await expect(reading).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  it('rejects when the body has been read', async () => {
    const request = await begin('Content-Length: 2\r\n\r\n{}');
    await finished(request.resume());
    await expect(readFields(request)).rejects.toThrow('already been read');
  });
});
