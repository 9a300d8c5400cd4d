import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  type Answer,
  contentRange,
  eventually,
  md5,
  noise,
  RawConnection,
  UploadClient,
} from '../support/http.js';
import { ADAPTERS, startTestApp, type TestApp } from '../support/test-app.js';

const UNKNOWN_ID = '01234567-89ab-4cde-8f01-23456789abcd';

describe.each(ADAPTERS)('Connections on %s', (adapter) => {
  let app: TestApp;
  let client: UploadClient;

  beforeAll(async () => {
    const limits = { maxBytes: '8mb', maxChunkBytes: '3mb', idleTimeout: 500 } as const;
    app = await startTestApp({ adapter, upload: limits });
    client = new UploadClient(`${app.origin}/upload`);
  });
  afterAll(() => app.close());

  const codeOf = ({ status, json }: Pick<Answer, 'status' | 'json'>) => [status, json.code];
  const stored = async () => ({ rows: (await app.rows()).length, files: (await app.files()).length });

  it.each<[string, string, Record<string, string | number>, string]>([
    [
      'a length that is not the range',
      'PUT /upload',
      { 'Content-Range': 'bytes 0-9/10', 'Content-Length': 9 },
      '400 length_mismatch',
    ],
    [
      'a file too large',
      'PUT /upload',
      { 'Content-Range': 'bytes 0-9/9000000', 'Content-Length': 10 },
      '400 too_large',
    ],
    [
      'an end too large',
      'PUT /upload',
      { 'Content-Range': 'bytes 9000000-9000009/*', 'Content-Length': 10 },
      '400 too_large',
    ],
    [
      'a chunk too large',
      'PUT /upload',
      { 'Content-Range': 'bytes 0-3999999/4000000', 'Content-Length': 4_000_000 },
      '400 chunk_too_large',
    ],
    ['no range', 'PUT /upload', { 'Content-Length': 10 }, '400 content_range_missing'],
    [
      'a coding',
      'PUT /upload',
      { 'Content-Encoding': 'gzip', 'Content-Range': 'bytes 0-9/10', 'Content-Length': 10 },
      '415 encoding_not_supported',
    ],
    [
      'an unknown upload',
      `PUT /upload/${UNKNOWN_ID}`,
      { 'Content-Range': 'bytes 0-9/10', 'Content-Length': 10 },
      '404 not_found',
    ],
    [
      'an id that is none',
      'PUT /upload/none',
      { 'Content-Range': 'bytes 0-9/10', 'Content-Length': 10 },
      '404 not_found',
    ],
    ['a one-shot without checksum', 'POST /upload', { 'Content-Length': 10 }, '400 checksum_missing'],
    [
      'a long completion',
      `POST /upload/${UNKNOWN_ID}`,
      { 'Content-Type': 'application/json', 'Content-Length': 20_000 },
      '413 body_too_large',
    ],
    [
      'a form for an unknown upload',
      `PUT /upload/${UNKNOWN_ID}`,
      {
        'Content-Type': 'multipart/form-data; boundary=b',
        'Content-Range': 'bytes 0-9/10',
        'Content-Length': 100,
      },
      '404 not_found',
    ],
    [
      'a form too large',
      'PUT /upload',
      {
        'Content-Type': 'multipart/form-data; boundary=b',
        'Content-Range': 'bytes 0-9/9000000',
        'Content-Length': 100,
      },
      '400 too_large',
    ],
    [
      'a form without boundary',
      'PUT /upload',
      { 'Content-Type': 'multipart/form-data', 'Content-Range': 'bytes 0-9/10', 'Content-Length': 100 },
      '400 malformed_request',
    ],
  ])('refuses %s by its headers, without a byte of the body', async (_what, line, headers, refusal) => {
    for (const expectation of [{}, { Expect: '100-continue' }]) {
      const connection = new RawConnection(app.origin).head(line, { ...headers, ...expectation });
      try {
        expect(codeOf(await connection.answer(1500)).join(' ')).toBe(refusal);
        expect(connection.received).not.toContain('100 Continue');
      } finally {
        connection.destroy();
      }
    }
  });

  it('refuses by the row, without a byte of the body: what is complete, out of order, of another size', async () => {
    const done = await client.store('abc');
    const open = await client.create('abcdef', { length: 3 });
    const forms = { 'Content-Type': 'multipart/form-data; boundary=b' };
    for (const [id, range, code] of [
      [done, 'bytes 0-2/3', 'already_complete'],
      [open, 'bytes 0-2/6', 'offset_mismatch'],
      [open, 'bytes 3-5/7', 'size_mismatch'],
    ] as const) {
      for (const headers of [{ 'Content-Length': 3 }, { ...forms, 'Content-Length': 300 }]) {
        const connection = new RawConnection(app.origin).head(`PUT /upload/${id}`, {
          'Content-Range': range,
          Expect: '100-continue',
          ...headers,
        });
        try {
          expect([headers, ...codeOf(await connection.answer(1500))]).toEqual([headers, 400, code]);
          expect(connection.received).not.toContain('100 Continue');
        } finally {
          connection.destroy();
        }
      }
    }
  });

  it('says 100 Continue when it will read the body, and only then', async () => {
    const id = await client.create('abcdef', { length: 3 });
    for (const [line, headers, body, expected] of [
      ['PUT /upload', { 'Content-Range': 'bytes 0-2/3' }, 'abc', { offset: 3 }],
      [`PUT /upload/${id}`, { 'Content-Range': 'bytes 3-5/6' }, 'def', { offset: 6 }],
      [`POST /upload?md5=${md5('abc')}`, {}, 'abc', { status: 'complete' }],
      [
        `POST /upload/${id}`,
        { 'Content-Type': 'application/json' },
        `{"md5":"${md5('abcdef')}"}`,
        { status: 'complete' },
      ],
    ] as const) {
      const connection = new RawConnection(app.origin).head(line, {
        ...headers,
        'Content-Length': body.length,
        Expect: '100-continue',
      });
      await connection.until(/^HTTP\/1\.1 100 Continue\r\n\r\n$/);
      const answer = await connection.write(body).answer();
      expect([answer.status, answer.json]).toEqual([200, expect.objectContaining(expected)]);
      connection.destroy();
    }
  });

  it('keeps what arrived of a raw chunk that stops or breaks off, and nothing of a creating one', async () => {
    const before = await stored();
    const whole = noise(100_000);
    const start = (line: string, from: number) =>
      new RawConnection(app.origin).head(line, {
        'Content-Range': contentRange(from, whole.length - from, whole.length),
        'Content-Length': whole.length - from,
      });
    const stopped = start('PUT /upload', 0).write(whole.subarray(0, 5000));
    expect(codeOf(await stopped.answer())).toEqual([408, 'idle_timeout']);
    stopped.destroy();
    const broken = start('PUT /upload', 0).write(whole.subarray(0, 5000));
    await eventually(async () => expect((await stored()).files).toBe(before.files + 1));
    broken.destroy();
    await eventually(async () => expect(await stored()).toEqual(before));

    const id = await client.create(whole, { length: 1000 });
    const idle = start(`PUT /upload/${id}`, 1000).write(whole.subarray(1000, 30_000));
    expect(codeOf(await idle.answer())).toEqual([408, 'idle_timeout']);
    idle.destroy();
    expect((await client.send(`/${id}`)).json.offset).toBe(30_000);
    const cut = start(`PUT /upload/${id}`, 30_000).write(whole.subarray(30_000, 50_000));
    await eventually(async () =>
      expect((await app.rows()).find((row) => row.id === id)?.lease_token).not.toBeNull(),
    );
    cut.destroy();
    await eventually(async () => expect((await client.send(`/${id}`)).json.offset).toBe(50_000));
    expect((await client.put(`/${id}`, whole, { start: 50_000 })).json.offset).toBe(100_000);
    expect((await client.complete(id, { md5: md5(whole) })).status).toBe(200);
  });

  it.each([
    ['before its file', '--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n'],
    ['in its file', '--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nab'],
    [
      'behind its file',
      '--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nabc\r\n--b\r\n',
    ],
  ])('ends a form that stops %s, and keeps nothing of it', async (_where, beginning) => {
    const before = await stored();
    const connection = new RawConnection(app.origin).head('PUT /upload', {
      'Content-Type': 'multipart/form-data; boundary=b',
      'Content-Range': 'bytes 0-2/3',
      'Content-Length': 1000,
    });
    try {
      expect(codeOf(await connection.write(beginning).answer(3000))).toEqual([408, 'idle_timeout']);
    } finally {
      connection.destroy();
    }
    await eventually(async () => expect(await stored()).toEqual(before));
  });

  it('ends a completing request whose body stops', async () => {
    const id = await client.create('abc');
    const connection = new RawConnection(app.origin).head(`POST /upload/${id}`, {
      'Content-Type': 'application/json',
      'Content-Length': 50,
    });
    try {
      expect(codeOf(await connection.write('{').answer(3000))).toEqual([408, 'idle_timeout']);
    } finally {
      connection.destroy();
    }
  });

  it('serves the next request on a connection whose chunk was refused', async () => {
    const id = await client.create('abc');
    const connection = new RawConnection(app.origin).head(`PUT /upload/${UNKNOWN_ID}`, {
      'Content-Range': 'bytes 0-1999999/2000000',
      'Content-Length': 2_000_000,
    });
    expect(codeOf(await connection.answer())).toEqual([404, 'not_found']);
    connection.write(noise(2_000_000)).head(`HEAD /upload/${id}`, {});
    await connection.until(/HTTP\/1\.1 200 OK[^]*upload-offset: 3/i);
    connection.destroy();
  });

  it.each([
    ['a length and chunked encoding', 'Content-Length: 3\r\nTransfer-Encoding: chunked'],
    ['two lengths', 'Content-Length: 3\r\nContent-Length: 4'],
    ['a negative length', 'Content-Length: -3'],
    ['a signed length', 'Content-Length: +3'],
    ['a length without end', `Content-Length: ${'9'.repeat(30)}`],
    ['a bare CR in a header', 'Content-Length: 3\r\nX: a\rb'],
    ['a NUL in a header', 'Content-Length: 3\r\nX: a\0b'],
    ['an unknown transfer coding', 'Transfer-Encoding: gzip'],
  ])('refuses a message framed by %s', async (_what, headers) => {
    const before = await stored();
    const connection = new RawConnection(app.origin).write(
      `PUT /upload HTTP/1.1\r\nHost: a\r\nContent-Range: bytes 0-2/3\r\n${headers}\r\n\r\nabc\r\n0\r\n\r\n`,
    );
    expect(await connection.until(/^HTTP\/1\.1 \d+/)).toMatch(/^HTTP\/1\.1 (400|501)/);
    expect(await connection.closed(2000)).toBe(true);
    // What Node found out only in the body is being undone.
    await eventually(async () => expect(await stored()).toEqual(before));
  });

  it('tells browsers of other sites nothing', async () => {
    const headers = { Origin: 'https://evil.example', 'Access-Control-Request-Method': 'PUT' };
    for (const method of ['GET', 'OPTIONS', 'PUT']) {
      const answer = await client.send('', { method, headers });
      expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
    }
  });
});
