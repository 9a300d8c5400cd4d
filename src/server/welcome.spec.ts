import { describe, expect, it } from '@jest/globals';
import { readEnvironment } from './environment.js';
import { describeServer } from './welcome.js';

const ADDRESS = { port: 4000, address: '::', family: 'IPv6' };
const EMBEDDED = 'postgres://chunked_upload:geheim@127.0.0.1:5555/postgres';

function welcome(variables: NodeJS.ProcessEnv = {}, databaseUrl = EMBEDDED): Promise<string> {
  return describeServer(readEnvironment(variables), ADDRESS, databaseUrl);
}

describe('describeServer', () => {
  it('says where the server listens and on what database, without its password', async () => {
    const text = await welcome();
    expect(text).toContain('Listening on http://localhost:4000');
    expect(text).toContain('embedded PostgreSQL on 127.0.0.1:5555');
    expect(text).not.toContain('geheim');
  });

  it('names the database of DATABASE_URL', async () => {
    const url = 'postgres://ann:geheim@db.example/files';
    const text = await welcome({ DATABASE_URL: url }, url);
    expect(text).toContain('files on db.example');
    expect(text).not.toContain('geheim');
  });

  it.each([
    ['127.0.0.1', 'http://127.0.0.1:4000'],
    ['::1', 'http://[::1]:4000'],
    ['0.0.0.0', 'http://localhost:4000'],
  ])('shows HOST=%s as a client writes it', async (host, origin) => {
    expect(await welcome({ HOST: host })).toContain(`Listening on ${origin}\n`);
  });

  it('completes the example with the first algorithm, or without a checksum', async () => {
    expect(await welcome({ CHUNKED_UPLOAD_CHECKSUM: 'crc32,md5' })).toContain(`{"crc32":"0d4a1185"}`);
    expect(await welcome({ CHUNKED_UPLOAD_CHECKSUM: 'none' })).toContain(`-d '{}'`);
  });

  it('lets curl ask for the password', async () => {
    const text = await welcome({ CHUNKED_UPLOAD_USERS: `o'neil:geheim` });
    expect(text).toContain(`-u 'o'\\''neil'`);
    expect(text).not.toContain('geheim');
  });

  it.each([
    [
      'api-key',
      /API keys; to make one: npm run chunked-upload -- keys create --user ann[^]*ApiKey ann:\$KEY/,
    ],
    ['signed', /signed with an API key/],
  ])('says how to sign in by %s', async (by, pattern) => {
    expect(await welcome({ CHUNKED_UPLOAD_AUTH: by })).toMatch(pattern);
  });

  it('gives no example where callers need something it cannot name', async () => {
    const external = { CHUNKED_UPLOAD_AUTH: 'external', CHUNKED_UPLOAD_AUTH_URL: 'https://a.example/me' };
    const text = await welcome(external);
    expect(text).toContain('whom https://a.example knows');
    expect(text).not.toContain('curl');
    expect(await welcome({ CHUNKED_UPLOAD_DOORS: 'form-post' })).not.toContain('curl');
  });

  it('says where the page and the board are, or how to have them', async () => {
    expect(await welcome()).toMatch(
      /Page +http:\/\/localhost:4000\/\n[^]*off; to turn it on: CHUNKED_UPLOAD_ADMINS=/,
    );
    const text = await welcome({ CHUNKED_UPLOAD_ADMINS: 'root:geheim', CHUNKED_UPLOAD_DOORS: 'form-post' });
    expect(text).toContain('http://localhost:4000/admin/uploads, for root');
    expect(text).not.toMatch(/geheim|Page/);
  });

  it('names a file that is allowed', async () => {
    expect(await welcome({ CHUNKED_UPLOAD_ALLOWED_EXTENSIONS: '.log,jpg' })).toContain('filename=hello.log');
  });

  it.each([
    { CHUNKED_UPLOAD_MAX_BYTES: '10' },
    { CHUNKED_UPLOAD_MIN_BYTES: '12' },
    { CHUNKED_UPLOAD_MAX_CHUNK_BYTES: '5' },
    { CHUNKED_UPLOAD_MAX_FILENAME_BYTES: '8' },
    { CHUNKED_UPLOAD_ALLOWED_MIME_TYPES: 'image/*' },
  ])('gives no example that would be refused: %j', async (variables) => {
    const text = await welcome(variables);
    expect(text).not.toContain('curl');
    expect(text).toContain('Try it as the API page says');
  });
});
