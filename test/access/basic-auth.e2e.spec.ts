import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { BasicAuthGuard, InvalidOptionError } from '../../src/index.js';
import { UploadClient } from '../support/http.js';
import { ADAPTERS, startTestApp, type TestApp } from '../support/test-app.js';

const USERS = {
  ann: 'pa:ss:',
  jürgen: 'ä€漢字😀',
  'J. R. \'"\\': ' lead and trail ',
  // Ä in two code points, as some systems type it.
  'A\u0308nne': 'o\u0308',
};

describe.each(ADAPTERS)('BasicAuthGuard on %s', (adapter) => {
  let app: TestApp;

  beforeAll(async () => {
    const guards = [new BasicAuthGuard({ users: USERS, realm: 'my "files" \\' })];
    app = await startTestApp({ adapter, upload: { anonymous: false, guards } });
  });
  afterAll(() => app.close());

  const client = (credentials: string | Buffer, scheme = 'Basic ') =>
    new UploadClient(`${app.origin}/upload`, {
      Authorization: scheme + Buffer.from(credentials as string).toString('base64'),
    });

  it('takes colons, quotes, blanks and letters of any language, however they are composed', async () => {
    for (const [name, password] of Object.entries(USERS)) {
      for (const form of ['NFC', 'NFD'] as const) {
        const created = await client(`${name}:${password}`.normalize(form)).put('', 'abc');
        expect(created.json.user_id).toBe(name.normalize('NFC'));
      }
    }
    expect((await client('ann:pa:ss:', 'bAsIc   ').send('')).status).toBe(200);
  });

  it('answers missing and wrong credentials alike', async () => {
    const missing = await new UploadClient(`${app.origin}/upload`).send('');
    expect([missing.status, missing.headers['www-authenticate']]).toEqual([
      401,
      'Basic realm="my \\"files\\" \\\\", charset="UTF-8"',
    ]);
    const refused = [
      'ann:pa:ss',
      'ann:pa',
      'ann:',
      'ann',
      ':',
      '',
      ':pa:ss:',
      'ANN:pa:ss:',
      'ann\0:pa:ss:',
      'ann:pa:ss:\0',
      `ann:${'x'.repeat(5_000)}`,
      '__proto__:x',
      Buffer.from('jürgen:ä€漢字', 'latin1'),
      Buffer.from([0xff, 0xfe, 0x3a, 0x00]),
    ];
    for (const credentials of refused) {
      const { status, text, headers } = await client(credentials).send('');
      expect([credentials, status, text, headers['www-authenticate']]).toEqual([
        credentials,
        401,
        missing.text,
        missing.headers['www-authenticate'],
      ]);
    }
    for (const scheme of ['Basic', 'Bearer ', 'Basic !', 'Basic x, Basic '])
      expect((await client('ann:pa:ss:', scheme).send('')).status).toBe(401);
  });
});

describe('BasicAuthGuard', () => {
  it.each([
    [{ '': 'secret' }, /names that are not empty/],
    [{ 'a:b': 'secret' }, /no colon/],
    [{ ann: '' }, /"ann" has none/],
  ])('refuses the users %j at boot', (users, message) => {
    const make = () => new BasicAuthGuard({ users });
    expect(make).toThrow(InvalidOptionError);
    expect(make).toThrow(message);
  });

  it('refuses a realm that no header can hold', () => {
    expect(() => new BasicAuthGuard({ users: {}, realm: 'a\r\nb' })).toThrow(/realm must be printable ASCII/);
  });
});
