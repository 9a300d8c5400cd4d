import { createHash } from 'node:crypto';
import * as corpus from './corpus.js';
import type { Random } from '../../support/random.js';

/** A request as bytes, and what the test has to know of it. */
export interface RawRequest {
  readonly bytes: Buffer;
  /** What it began as. */
  readonly kind: string;
}

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'];
const ODD_METHODS = ['TRACE', 'CONNECT', 'PROPFIND', 'get', 'FOO', 'PUT\0', '', 'M-SEARCH', 'QUERY'];
const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');

/** Makes requests: most are nearly right, so that they get past the parser; then some bytes are changed. */
export class Grammar {
  /** Uploads that exist, or did. */
  readonly ids: string[] = [];

  constructor(private readonly random: Random) {}

  next(number: number): RawRequest {
    const { random } = this;
    const user = `u${number}`;
    const request = random.pick([
      () => this.create(user),
      () => this.form(user),
      () => this.append(user),
      () => this.complete(user),
      () => this.look(user),
      () => this.oneShot(user),
      () => this.odd(user),
    ])();
    if (!random.chance(0.25)) return request;
    return { kind: `${request.kind}, mutated`, bytes: this.mutate(request.bytes) };
  }

  private id(): string {
    if (this.ids.length > 0 && this.random.chance(0.8)) return this.random.pick(this.ids.slice(-20));
    return this.random.pick(corpus.IDS);
  }

  private query(): string {
    return this.random.chance(0.3) ? `?${this.random.pick(corpus.QUERIES)}` : '';
  }

  /** Head and body; the user's header is first and stays whole, so that a row says which request made it. */
  private message(user: string, line: string, headers: readonly string[], body: Buffer): Buffer {
    const { random } = this;
    const framing = random.chance(0.12) ? random.pick(corpus.FRAMINGS) : [`Content-Length: ${body.length}`];
    const chunked = framing.some((header) => header === 'Transfer-Encoding: chunked');
    const extra = random.chance(0.3) ? [random.pick(corpus.EXTRA_HEADERS)] : [];
    const repeated = random.chance(0.05) && headers.length > 0 ? [random.pick(headers)] : [];
    const host = random.chance(0.98) ? ['Host: 127.0.0.1'] : [];
    const version = random.chance(0.97) ? 'HTTP/1.1' : random.pick(['HTTP/1.0', 'HTTP/2.0', 'HTTP/9.9', '']);
    const lines = [`${line} ${version}`, `X-User: ${user}`, ...host, ...headers, ...framing];
    const head = latin1(`${[...lines, ...extra, ...repeated].join('\r\n')}\r\n\r\n`);
    return Buffer.concat([head, chunked ? this.chunks(body) : body]);
  }

  private chunks(body: Buffer): Buffer {
    const size = this.random.pick([
      body.length.toString(16),
      '5',
      'ffffffffffffffff',
      '-1',
      `${'0'.repeat(90)}5`,
    ]);
    const end = this.random.pick(['0\r\n\r\n', '0\r\nX-Trailer: a\r\n\r\n', '0\r\n__proto__: b\r\n\r\n', '']);
    return Buffer.concat([
      latin1(`${size}${this.random.pick(['', ';ext=1'])}\r\n`),
      body,
      latin1(`\r\n${end}`),
    ]);
  }

  private range(start: number, length: number, total: number): string[] {
    if (this.random.chance(0.05)) return [];
    if (this.random.chance(0.25)) return [`Content-Range: ${this.random.pick(corpus.RANGES)}`];
    return [`Content-Range: bytes ${start}-${start + length - 1}/${total}`];
  }

  private disposition(): string[] {
    return this.random.chance(0.4) ? [`Content-Disposition: ${this.random.pick(corpus.DISPOSITIONS)}`] : [];
  }

  private create(user: string): RawRequest {
    const body = this.random.bytes(10);
    const total = this.random.pick([10, 20, 20, 30]);
    const headers = [...this.range(0, 10, total), ...this.disposition()];
    return { kind: 'create', bytes: this.message(user, `PUT /upload${this.query()}`, headers, body) };
  }

  private append(user: string): RawRequest {
    const start = this.random.pick([0, 10, 10, 10, 20]);
    const headers = this.range(start, 10, this.random.pick([20, 20, 30]));
    const line = `${this.random.pick(['PUT', 'PUT', 'POST'])} /upload/${this.id()}${this.query()}`;
    return { kind: 'append', bytes: this.message(user, line, headers, this.random.bytes(10)) };
  }

  private oneShot(user: string): RawRequest {
    const body = this.random.bytes(this.random.below(40));
    const sum = createHash('md5').update(body).digest('hex');
    const query = this.random.chance(0.6) ? `?md5=${sum}` : this.query();
    const headers = [...this.disposition(), 'Content-Type: application/octet-stream'];
    return { kind: 'one shot', bytes: this.message(user, `POST /upload${query}`, headers, body) };
  }

  private complete(user: string): RawRequest {
    const [type, body] = this.random.pick([
      ['application/json', this.random.pick(corpus.JSONS)],
      ['application/x-www-form-urlencoded', this.random.pick(corpus.FORMS)],
      [this.random.pick(['application/json', 'text/plain', 'multipart/form-data; boundary=b', '']), 'md5=1'],
    ] as const);
    const line = `POST /upload/${this.id()}${this.query()}`;
    return { kind: 'complete', bytes: this.message(user, line, [`Content-Type: ${type}`], latin1(body)) };
  }

  private look(user: string): RawRequest {
    const path = this.random.pick(['', `/${this.id()}`, `/${this.id()}/content`]);
    const method = this.random.pick(
      path === '' ? ['GET', 'HEAD', 'OPTIONS'] : ['GET', 'HEAD', 'GET', 'DELETE'],
    );
    const line = `${method} /upload${path}${this.query() || (path === '' ? '?limit=3' : '')}`;
    return { kind: 'look', bytes: this.message(user, line, [], Buffer.alloc(0)) };
  }

  private odd(user: string): RawRequest {
    const { random } = this;
    const method = random.pick(random.chance(0.7) ? METHODS : ODD_METHODS);
    const body = random.bytes(random.below(30));
    const line = `${method} ${random.pick(corpus.TARGETS)}`;
    return { kind: 'odd', bytes: this.message(user, line, this.range(0, 10, 10), body) };
  }

  private form(user: string): RawRequest {
    const { random } = this;
    const boundary = random.pick([
      'b',
      'b',
      'b',
      '--',
      'x'.repeat(70),
      'x'.repeat(300),
      '"b c"',
      "'()+_,-./:=?",
      '',
    ]);
    const bare = boundary.replaceAll('"', '');
    const parts = Array.from({ length: random.pick([1, 1, 2, 3, 40]) }, (_, n) => this.part(bare, n === 0));
    if (random.chance(0.2)) parts.reverse();
    const end = random.pick([
      `--${bare}--\r\n`,
      `--${bare}--\r\n`,
      `--${bare}`,
      '',
      `--${bare}--\n`,
      `--${bare}-\r\n`,
    ]);
    let body = Buffer.concat([...parts, latin1(end)]);
    if (random.chance(0.1)) body = body.subarray(0, random.below(body.length));
    const type = `Content-Type: multipart/form-data; boundary=${boundary}`;
    const line = `${random.pick(['PUT', 'PUT', 'POST'])} /upload${random.chance(0.2) ? `/${this.id()}` : ''}`;
    const headers = [type, ...this.range(0, 10, random.pick([10, 20]))];
    return { kind: 'form', bytes: this.message(user, line, headers, body) };
  }

  private part(boundary: string, isFile: boolean): Buffer {
    const { random } = this;
    const disposition = random.chance(0.2)
      ? random.pick(corpus.DISPOSITIONS).replace(/^attachment/, 'form-data')
      : isFile
        ? 'form-data; name="file"; filename="a.bin"'
        : `form-data; name="${random.pick(FIELD_NAMES)}"`;
    const eol = random.chance(0.95) ? '\r\n' : random.pick(['\r', '\n']);
    const type = random.chance(0.1)
      ? `${eol}Content-Type: ${random.pick(['multipart/mixed; boundary=c', 'text/plain; charset=utf-7', '\0'])}`
      : '';
    const encoding = random.chance(0.05) ? `${eol}Content-Transfer-Encoding: base64` : '';
    const value = isFile ? random.bytes(10) : latin1(random.pick(FIELD_VALUES));
    const head = `--${boundary}${eol}Content-Disposition: ${disposition}${type}${encoding}${eol}${eol}`;
    return Buffer.concat([latin1(head), value, latin1(eol)]);
  }

  /** Changes some bytes behind the user's header. */
  private mutate(bytes: Buffer): Buffer {
    const { random } = this;
    const from = bytes.indexOf('\r\n', bytes.indexOf('X-User')) + 2;
    let changed = Buffer.from(bytes);
    for (let count = 1 + random.below(4); count > 0; count--) {
      const at = from + random.below(Math.max(1, changed.length - from));
      const rest = changed.subarray(at);
      const length = random.below(20);
      const variants = [
        () => [changed.subarray(0, at), random.bytes(1 + length), rest],
        () => [changed.subarray(0, at), rest.subarray(length)],
        () => [changed.subarray(0, at), rest.subarray(0, length), rest],
        () => [changed.subarray(0, at)],
        () => [changed.subarray(0, at), latin1(random.pick(SPLINTERS)), rest],
        () => [changed.subarray(0, at), random.bytes(1), rest.subarray(1)],
      ];
      changed = Buffer.concat(random.pick(variants)());
    }
    return changed;
  }
}

const FIELD_NAMES = [
  'filename',
  'filename',
  'owner_type',
  'owner_id',
  'upload_id',
  'md5',
  '__proto__',
  'constructor',
  'status',
  'a[b][c]',
  '',
  'x'.repeat(200),
  'user_id',
];
const FIELD_VALUES = [
  'a.txt',
  '../../outer',
  'a\0b',
  'a\r\nX-Evil: 1',
  '',
  'x'.repeat(300),
  'y'.repeat(9000),
  '__proto__',
  'complete',
  '00000000-0000-0000-0000-000000000000',
  '--b--',
  '\xff\xfe',
];
const SPLINTERS = [
  '\r\n',
  '\r',
  '\n',
  '\0',
  '\r\n\r\n',
  ':',
  ';',
  '"',
  '%00',
  '../',
  '\xff',
  '0\r\n\r\n',
  'GET / HTTP/1.1\r\n\r\n',
];
