import { describe, expect, it } from '@jest/globals';
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { UploadError } from '../../errors/upload-error.js';
import { type MultipartBody, readMultipart } from './multipart-body.js';
import type { MultipartLimits } from './multipart-parser.js';

const BOUNDARY = '----WebKitFormBoundaryxyz';
const LIMITS: MultipartLimits = { fileField: 'file' };

/** A request whose body arrives in these pieces. */
function requestOf(pieces: readonly (Buffer | string)[], boundary = BOUNDARY): IncomingMessage {
  const body = Readable.from(pieces.map((piece) => Buffer.from(piece)));
  const headers = { 'content-type': `multipart/form-data; boundary="${boundary}"` };
  return Object.assign(body, { headers }) as unknown as IncomingMessage;
}

const text = (name: string, value: string) => part(`form-data; name="${name}"`, value);
const file = (content: string | Buffer, disposition = 'form-data; name="file"; filename="a.txt"') =>
  part(disposition, content, 'application/octet-stream');

function part(disposition: string, content: string | Buffer, contentType?: string): Buffer {
  const type = contentType === undefined ? '' : `Content-Type: ${contentType}\r\n`;
  const header = `--${BOUNDARY}\r\nContent-Disposition: ${disposition}\r\n${type}\r\n`;
  return Buffer.concat([Buffer.from(header), Buffer.from(content), Buffer.from('\r\n')]);
}

const END = Buffer.from(`--${BOUNDARY}--\r\n`);

interface Read {
  readonly content: Buffer | null;
  readonly filename: string | undefined;
  readonly contentType: string | null | undefined;
  readonly fieldsBefore: Record<string, string>;
  readonly fields: Record<string, string>;
}

async function readAll(body: MultipartBody): Promise<Read> {
  const found = await body.file;
  const pieces: Buffer[] = [];
  if (found !== null) for await (const piece of found.stream) pieces.push(Buffer.from(piece as Buffer));
  return {
    content: found === null ? null : Buffer.concat(pieces),
    filename: found?.filename,
    contentType: found?.contentType,
    fieldsBefore: Object.fromEntries(found?.fieldsBefore ?? []),
    fields: Object.fromEntries(await body.fields),
  };
}

const read = (...pieces: (Buffer | string)[]) => readAll(readMultipart(requestOf(pieces), LIMITS));

/** The refusal that both promises and the stream end with. */
async function refusal(pieces: readonly (Buffer | string)[], limits = LIMITS): Promise<UploadError> {
  const body = readMultipart(requestOf(pieces), limits);
  const found = await body.file.catch(() => null);
  const streamError = await finished((found?.stream ?? Readable.from([])).resume()).catch(
    (error: unknown) => error,
  );
  const error: unknown = await body.fields.then(
    () => new Error('nothing was refused'),
    (reason: unknown) => reason,
  );
  if (streamError !== undefined) expect(streamError).toBe(error);
  if (UploadError.is(error)) return error;
  throw error;
}

describe('a well-formed form', () => {
  it('gives the file and the fields on both sides of it', async () => {
    expect(await read(text('upload_id', 'x'), file('content'), text('owner_type', 'person'), END)).toEqual({
      content: Buffer.from('content'),
      filename: 'a.txt',
      contentType: 'application/octet-stream',
      fieldsBefore: { upload_id: 'x' },
      fields: { upload_id: 'x', owner_type: 'person' },
    });
  });

  it('gives no file where none came', async () => {
    expect(await read(text('a', '1'), END)).toMatchObject({ content: null, fields: { a: '1' } });
    expect(await read(END)).toMatchObject({ content: null, fields: {} });
  });

  it('takes an empty file for a file', async () => {
    expect(await read(file(''), END)).toMatchObject({ content: Buffer.alloc(0), filename: 'a.txt' });
    expect(await read(file(''), text('a', '1'), END)).toMatchObject({
      content: Buffer.alloc(0),
      fields: { a: '1' },
    });
  });

  it('takes a text part of the name of the file for text', async () => {
    expect(await read(text('file', 'content'), END)).toMatchObject({
      content: null,
      fields: { file: 'content' },
    });
  });

  it('takes a file input in which nothing was chosen for no file', async () => {
    expect(await read(file('', 'form-data; name="file"; filename=""'), END)).toMatchObject({ content: null });
  });

  it('takes octet-stream without a file name for a file', async () => {
    const expected = { content: Buffer.from('content'), filename: undefined };
    expect(await read(file('content', 'form-data; name="file"'), END)).toMatchObject(expected);
  });

  it('knows files[] as jQuery-File-Upload says, unless another name was configured', async () => {
    const pieces = [file('content', 'form-data; name="files[]"; filename="a"'), END];
    expect(await read(...pieces)).toMatchObject({ content: Buffer.from('content') });
    expect((await refusal(pieces, { fileField: 'data' })).message).toContain('send it as "data"');
  });

  it.each([
    ['raw UTF-8, as browsers and curl send it', 'filename="naïve 漢字.txt"', 'naïve 漢字.txt'],
    ['RFC 8187', 'filename="x"; filename*=UTF-8\'\'na%C3%AFve%20%E6%BC%A2.txt', 'naïve 漢.txt'],
    ['an escaped quote', 'filename="a%22b.txt"', 'a"b.txt'],
    ['a path', 'filename="../../etc/passwd"', '../../etc/passwd'],
  ])('decodes a file name: %s', async (_, parameter, filename) => {
    expect(await read(file('', `form-data; name="file"; ${parameter}`), END)).toMatchObject({ filename });
  });

  it('decodes names and values as UTF-8', async () => {
    expect(await read(text('größe', '漢字\r\n--\r\n'), END)).toMatchObject({
      fields: { größe: '漢字\r\n--\r\n' },
    });
  });

  it('skips preamble and epilogue', async () => {
    expect(await read('a preamble\r\n', file('content'), END, 'an epilogue', END)).toMatchObject({
      content: Buffer.from('content'),
    });
  });

  it('reads the longest boundary, and one of dashes', async () => {
    for (const boundary of ['x'.repeat(70), '-', '--', "'()+_,-./:=?"]) {
      const head = `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n`;
      const request = requestOf([head, '-\r\n-', `\r\n--${boundary}--\r\n`], boundary);
      expect((await readAll(readMultipart(request, LIMITS))).content?.toString()).toBe('-\r\n-');
    }
  });

  it('keeps __proto__ a name like any other', async () => {
    const header = `--${BOUNDARY}\r\n__proto__: x\r\nconstructor: y\r\nContent-Disposition: form-data; name="__proto__"\r\n\r\n`;
    const body = readMultipart(requestOf([header, 'polluted\r\n', text('constructor', '1'), END]), LIMITS);
    expect([...(await body.fields)]).toEqual([
      ['__proto__', 'polluted'],
      ['constructor', '1'],
    ]);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('takes 32 fields of 8 KiB', async () => {
    const fields = Array.from({ length: 32 }, (_, i) => text(`f${i}`, 'x'.repeat(8192)));
    expect(Object.keys((await read(...fields, file('a'), END)).fields)).toHaveLength(32);
  });
});

describe('a form that is refused', () => {
  const twoLines = (disposition: string) => file('content', disposition);

  it.each([
    ['a second file', [file('a'), file('b'), END], 'two files'],
    [
      'two files of both names',
      [file('a'), file('b', 'form-data; name="files[]"; filename="b"'), END],
      'two files',
    ],
    [
      'a file of another name',
      [file('a', 'form-data; name="data"; filename="b"'), END],
      '"data"; send it as "file"',
    ],
    ['a field twice', [text('a', '1'), text('a', '2'), END], 'two fields "a"'],
    ['a field twice, around the file', [text('a', '1'), file(''), text('a', '2'), END], 'two fields "a"'],
    ['33 fields', [...Array.from({ length: 33 }, (_, i) => text(`f${i}`, '')), END], 'more than 32'],
    ['a long value', [text('a', 'x'.repeat(8193)), END], 'longer than 8192 bytes'],
    ['a file without a name', [text('file', 'x'.repeat(8193)), END], 'needs a filename'],
    ['a long name', [text('n'.repeat(101), ''), END], 'longer than 100 bytes'],
    ['a long name of few characters', [text('漢'.repeat(34), ''), END], 'longer than 100 bytes'],
    ['a value that is not UTF-8', [part('form-data; name="a"', Buffer.from([0xff])), END], 'not UTF-8'],
    [
      'base64',
      [file('YQ==', 'form-data; name="file"; filename="a"\r\nContent-Transfer-Encoding: base64'), END],
      'base64',
    ],
    ['no Content-Disposition', [`--${BOUNDARY}\r\nContent-Type: text/plain\r\n\r\nx\r\n`, END], 'needs one'],
    ['no header at all', [`--${BOUNDARY}\r\n\r\nx\r\n`, END], 'needs one'],
    [
      'two Content-Dispositions',
      [text('a"\r\nContent-Disposition: form-data; name="b', ''), END],
      'needs one',
    ],
    ['an attachment', [file('', 'attachment; name="file"; filename="a"'), END], 'needs one'],
    ['no name', [file('', 'form-data; filename="a"'), END], 'needs one'],
    ['an open quote', [file('', 'form-data; name="file"; filename="a'), END], 'needs one'],
    ['a bare LF in the file name', [twoLines('form-data; name="file"; filename="a\nb"'), END], 'needs one'],
    ['a bare CR in the file name', [twoLines('form-data; name="file"; filename="a\rb"'), END], 'needs one'],
    [
      'a line break in the file name',
      [twoLines('form-data; name="file"; filename="a\r\nb"'), END],
      'needs one',
    ],
    [
      'a header that ends with its part',
      [`--${BOUNDARY}\r\nContent-Disp\r\n`, END],
      'ends within its header',
    ],
    ['a header line without a colon', [`--${BOUNDARY}\r\nx\r\n\r\ny\r\n`, END], 'needs one'],
    [
      'text behind the boundary',
      [`--${BOUNDARY}x\r\n`, text('a', '').subarray(BOUNDARY.length + 4), END],
      'needs one',
    ],
    ['nothing', [], 'no part that begins with the boundary'],
    [
      'another boundary',
      [Buffer.from(file('a').toString().replaceAll('xyz', 'abc'))],
      'no part that begins with',
    ],
    [
      'lines that end in LF',
      [file('a').toString().replaceAll('\r\n', '\n')],
      'ends before its final boundary',
    ],
    ['no final boundary', [file('a')], 'ends before its final boundary'],
    ['no final boundary after a field', [file('a'), text('a', '1')], 'ends before its final boundary'],
    ['half a final boundary', [file('a'), END.subarray(0, -4)], 'ends before its final boundary'],
    ['a dash too few', [file('a'), END.subarray(0, -3)], 'ends before its final boundary'],
    ['an end within a header', [file('a'), text('b', '').subarray(0, 50)], 'ends before its final boundary'],
    ['an end within the file', [file('a').subarray(0, -2)], 'ends before its final boundary'],
  ])('%s', async (_, pieces: readonly (Buffer | string)[], message) => {
    const error = await refusal(pieces);
    expect(error.code).toBe('malformed_request');
    expect(error.message).toContain(message);
    expect(error.message).not.toMatch(/\p{Cc}/u);
  });

  it('any file where none is expected', async () => {
    expect((await refusal([text('md5', 'x'), file('a'), END], { fileField: null })).message).toContain(
      'none is expected',
    );
  });

  it('a file that is too long, at the first byte too many', async () => {
    const limits = { fileField: 'file', maxFileBytes: 10 };
    expect(
      (await readAll(readMultipart(requestOf([file('x'.repeat(10)), END]), limits))).content,
    ).toHaveLength(10);
    const error = await refusal([file('x'.repeat(11)), END], limits);
    expect(error).toMatchObject({ code: 'chunk_too_large', details: { limitBytes: 10 } });
  });

  it.each([
    ['preamble', (endless: Buffer[]) => endless],
    ['part header', (endless: Buffer[]) => [`--${BOUNDARY}\r\nX: `, ...endless]],
    ['epilogue', (endless: Buffer[]) => [file('a'), END, ...endless]],
    [
      'epilogue in the piece of the final boundary',
      ([first, ...more]: Buffer[]) => [Buffer.concat([END, first ?? END]), ...more],
    ],
  ])('an endless %s', async (_, pieces) => {
    const error = await refusal(pieces(Array.from({ length: 10 }, () => Buffer.alloc(64 * 1024, 'x'))));
    expect(error).toMatchObject({ code: 'body_too_large', details: { limitBytes: 512 * 1024 } });
  });

  it('an unusable content type or coding, before anything is read', () => {
    const request = requestOf([]);
    const refuse = (headers: IncomingMessage['headers']) => () =>
      readMultipart(Object.assign(request, { headers }), LIMITS);
    expect(refuse({})).toThrow('it is not multipart/form-data');
    expect(refuse({ 'content-type': `multipart/form-data; boundary=${'x'.repeat(252)}` })).toThrow('70');
    const encoded = { 'content-type': 'multipart/form-data; boundary=x', 'content-encoding': 'gzip' };
    expect(refuse(encoded)).toThrow('Content-Encoding "gzip" is not accepted');
    expect(request.readableFlowing).toBeNull();
  });
});

describe('however the bytes are cut into pieces', () => {
  it('the result is the same for every single cut of a form that looks like its own boundary', async () => {
    const content = `\r\n--${BOUNDARY.slice(0, -1)}\r\n\r--${BOUNDARY}\r\n-\r\n--${BOUNDARY.slice(0, 9)}\r`;
    const whole = Buffer.concat([text('a', 'ü\r\n-'), file(content), text('b', ''), END]);
    const expected = {
      content: Buffer.from(content),
      fieldsBefore: { a: 'ü\r\n-' },
      fields: { a: 'ü\r\n-', b: '' },
    };
    for (let cut = 0; cut <= whole.length; cut += 1) {
      expect(await read(whole.subarray(0, cut), whole.subarray(cut))).toMatchObject(expected);
    }
    expect(await read(...[...whole].map((byte) => Buffer.from([byte])))).toMatchObject(expected);
  });

  it('every truncation of it is refused', async () => {
    const whole = Buffer.concat([text('a', '1'), file('content'), text('b', '2'), END]);
    // The line break behind the final boundary may be missing.
    for (let length = 0; length < whole.length - 2; length += 1) {
      expect((await refusal([whole.subarray(0, length)])).code).toBe('malformed_request');
    }
  });

  it('any form in any pieces gives what was put in', async () => {
    const bait = fc.constantFrom(
      '\r',
      '\n',
      '\r\n',
      '-',
      '--',
      `\r\n--`,
      `\r\n--${BOUNDARY.slice(0, 20)}`,
      'x',
      'ü',
      '\0',
    );
    const content = fc.array(bait, { maxLength: 30 }).map((pieces) => pieces.join(''));
    const fields = fc.dictionary(fc.stringMatching(/^[a-z_]{1,20}$/), content, { maxKeys: 5 });
    const sizes = fc.infiniteStream(fc.integer({ min: 1, max: 60 }));
    await fc.assert(
      fc.asyncProperty(fields, fields, content, sizes, async (before, after, bytes, cuts) => {
        const behind = Object.fromEntries(Object.entries(after).filter(([name]) => !(name in before)));
        const texts = (values: Record<string, string>) =>
          Object.entries(values).map(([name, value]) => text(name, value));
        const whole = Buffer.concat([...texts(before), file(bytes), ...texts(behind), END]);
        const pieces: Buffer[] = [];
        for (let at = 0; at < whole.length; at += pieces.at(-1)?.length ?? 0) {
          pieces.push(whole.subarray(at, at + (cuts.next().value as number)));
        }
        expect(await read(...pieces)).toMatchObject({
          content: Buffer.from(bytes),
          fieldsBefore: before,
          fields: { ...before, ...behind },
        });
      }),
      { numRuns: 300 },
    );
  });

  it('a file that is read late is the file that was sent', async () => {
    const pieces = Array.from({ length: 200 }, (_, i) => `\r\n--${BOUNDARY.slice(0, i % 25)}${i}`);
    const whole = Buffer.concat([file(pieces.join('')), END]);
    const cut = Array.from({ length: Math.ceil(whole.length / 7) }, (_, i) =>
      whole.subarray(i * 7, i * 7 + 7),
    );
    const body = readMultipart(requestOf(cut), LIMITS);
    const found = await body.file;
    for (let i = 0; i < 1000; i += 1) await turn();
    expect(Buffer.concat((await found?.stream.toArray()) as Buffer[]).toString()).toBe(pieces.join(''));
  });

  it('garbage ends in a result or a refusal', async () => {
    const token = fc.constantFrom(
      `--${BOUNDARY}`,
      '\r\n',
      '--',
      ':',
      'Content-Disposition: form-data; name="file"; filename="a"',
      'x',
    );
    const garbage = fc.array(
      fc.oneof(
        token.map((value) => Buffer.from(value)),
        fc.uint8Array({ maxLength: 9 }).map((bytes) => Buffer.from(bytes)),
      ),
    );
    await fc.assert(
      fc.asyncProperty(garbage, async (pieces) => {
        const outcome = await read(...pieces).catch((error: unknown) => error);
        expect(outcome instanceof Error ? UploadError.is(outcome, 'malformed_request') : true).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});
