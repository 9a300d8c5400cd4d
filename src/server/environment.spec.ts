import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { BootError } from './boot-error.js';
import { describeEnvironment, readEnvironment } from './environment.js';
import type { EnvironmentVariable } from './environment-variable.js';
import { ENVIRONMENT_VARIABLES } from './environment-variables.js';

const variables = Object.entries<EnvironmentVariable>(ENVIRONMENT_VARIABLES);

function messageFor(environment: NodeJS.ProcessEnv): string {
  try {
    readEnvironment(environment);
  } catch (error) {
    expect(error).toBeInstanceOf(BootError);
    return (error as BootError).message;
  }
  throw new Error('The environment was accepted.');
}

describe('readEnvironment', () => {
  it('has a default for everything', () => {
    expect(readEnvironment({})).toEqual({
      port: 3000,
      host: undefined,
      adapter: 'express',
      trustProxy: false,
      cors: undefined,
      databaseUrl: undefined,
      dataDirectory: path.resolve('data'),
      access: { by: 'anonymous' },
      admin: undefined,
      doors: ['rest'],
      shutdownGraceMs: 10_000,
      upload: { shutdownGrace: 10_000 },
    });
  });

  it('leaves out what is unset, so that the defaults of the module hold', () => {
    expect(Object.keys(readEnvironment({ CHUNKED_UPLOAD_MAX_BYTES: ' ' }).upload)).toEqual(['shutdownGrace']);
  });

  it('reads every variable', () => {
    // Of the ways to sign in there can be one at a time.
    const others = ['CHUNKED_UPLOAD_USERS', 'CHUNKED_UPLOAD_REPLAY_WINDOW'];
    const environment = Object.fromEntries(
      variables.filter(([name]) => !others.includes(name)).map(([name, { example }]) => [name, example]),
    );
    const { upload, ...server } = readEnvironment(environment);
    expect(server).toEqual({
      port: 8080,
      host: '127.0.0.1',
      adapter: 'fastify',
      trustProxy: 'loopback',
      cors: {
        origin: ['https://app.example.com'],
        methods: ['DELETE', 'GET', 'POST', 'PUT'],
        headers: ['Authorization', 'Content-Disposition', 'Content-Range', 'Content-Type'],
        credentials: true,
        maxAge: 3_600_000,
      },
      databaseUrl: 'postgres://user:password@localhost:5432/name',
      dataDirectory: '/var/lib/uploads',
      access: {
        by: 'external',
        url: 'https://accounts.example.com/me',
        timeoutMs: 2_000,
        cacheMs: 10_000,
        challenge: 'Bearer',
      },
      admin: { users: new Map([['root', 'secret3']]), isReadOnly: true },
      doors: ['rest', 'form-post'],
      shutdownGraceMs: 30_000,
    });
    expect(upload).toEqual({
      allowedExtensions: ['jpg', 'png'],
      allowedMimeTypes: ['image/*', 'application/pdf'],
      checksum: ['sha256', 'md5'],
      cleanup: '0 3 * * *',
      contentRange: 'optional',
      durability: 'complete',
      expiresIn: 43_200_000,
      folder: 'incoming/%Y/%m',
      idleTimeout: 30_000,
      keepRecords: true,
      leaseLinger: 0,
      leaseTtl: 10_000,
      maxBytes: 2 * 1024 ** 3,
      maxChunkBytes: 100 * 1024 ** 2,
      maxFilenameBytes: 100,
      maxOpenBytes: 50 * 1024 ** 3,
      maxOpenUploads: 100,
      minBytes: 1,
      publicUrl: 'https://files.example.com',
      shutdownGrace: 30_000,
      statusOverrides: { offset_mismatch: 409, too_large: 413 },
      userRestricted: false,
    });
  });

  it.each([
    ['CHUNKED_UPLOAD_MAX_BYTES', '5242880', 'maxBytes', 5_242_880],
    ['CHUNKED_UPLOAD_MAX_BYTES', '5 MB', 'maxBytes', 5_242_880],
    ['CHUNKED_UPLOAD_EXPIRES_IN', '90', 'expiresIn', 90],
    ['CHUNKED_UPLOAD_EXPIRES_IN', '60d', 'expiresIn', 5_184_000_000],
    ['CHUNKED_UPLOAD_CHECKSUM', 'none', 'checksum', false],
    ['CHUNKED_UPLOAD_CHECKSUM', 'MD5', 'checksum', ['md5']],
    ['CHUNKED_UPLOAD_CLEANUP_CRON', 'off', 'cleanup', false],
    ['CHUNKED_UPLOAD_KEEP_RECORDS', '0', 'keepRecords', false],
  ] as const)('reads %s=%s', (name, text, option, value) => {
    expect(readEnvironment({ [name]: text }).upload[option]).toEqual(value);
  });

  it.each([
    ['true', true],
    ['2', 2],
    ['10.0.0.0/8, ::1', '10.0.0.0/8, ::1'],
  ])('reads TRUST_PROXY=%s', (text, value) => {
    expect(readEnvironment({ TRUST_PROXY: text }).trustProxy).toBe(value);
  });

  it('takes a colon for a part of a password', () => {
    expect(readEnvironment({ CHUNKED_UPLOAD_USERS: 'ann:a:b' }).access).toEqual({
      by: 'basic',
      users: new Map([['ann', 'a:b']]),
    });
  });

  it.each([
    [{ CHUNKED_UPLOAD_AUTH: 'api-key' }, { by: 'api-key' }],
    [{ CHUNKED_UPLOAD_AUTH: 'signed' }, { by: 'signed' }],
    [
      { CHUNKED_UPLOAD_AUTH: 'signed', CHUNKED_UPLOAD_REPLAY_WINDOW: '1m' },
      { by: 'signed', replayWindowMs: 60_000 },
    ],
    [
      { CHUNKED_UPLOAD_AUTH: 'basic', CHUNKED_UPLOAD_USERS: 'ann:a' },
      { by: 'basic', users: new Map([['ann', 'a']]) },
    ],
  ])('reads who signs in how: %j', (variables, access) => {
    expect(readEnvironment(variables).access).toEqual(access);
  });

  it.each([
    [{ CHUNKED_UPLOAD_AUTH: 'basic' }, 'CHUNKED_UPLOAD_AUTH=basic needs another setting.'],
    [{ CHUNKED_UPLOAD_AUTH: 'external' }, 'CHUNKED_UPLOAD_AUTH=external needs another setting.'],
    [
      { CHUNKED_UPLOAD_AUTH: 'anonymous', CHUNKED_UPLOAD_USERS: 'ann:geheim' },
      'CHUNKED_UPLOAD_USERS would do nothing: callers sign in by anonymous.',
    ],
    [
      { CHUNKED_UPLOAD_AUTH_URL: 'https://accounts.example.com' },
      'CHUNKED_UPLOAD_AUTH_URL would do nothing: callers sign in by anonymous.',
    ],
  ])('refuses %j, which is less or more than it says', (variables, message) => {
    expect(messageFor(variables)).toBe(message);
  });

  it.each([
    ['PORT', '65536'],
    ['PORT', '3000.5'],
    ['HOST', 'a b'],
    ['PUBLIC_URL', 'files.example.com'],
    ['CORS_ORIGIN', 'https://a.example/path'],
    ['CORS_METHODS', 'put'],
    ['CORS_HEADERS', 'X Y'],
    ['CORS_CREDENTIALS', 'always'],
    ['CORS_MAX_AGE', '-1'],
    ['CHUNKED_UPLOAD_ADAPTER', 'koa'],
    ['CHUNKED_UPLOAD_DOORS', 'rest,tus'],
    ['CHUNKED_UPLOAD_AUTH', 'guess'],
    ['CHUNKED_UPLOAD_AUTH_URL', 'accounts.example.com'],
    ['CHUNKED_UPLOAD_AUTH_CHALLENGE', 'Bärer'],
    ['CHUNKED_UPLOAD_FOLDER', '%q'],
    ['CHUNKED_UPLOAD_FOLDER', '../up'],
    ['CHUNKED_UPLOAD_MAX_BYTES', '5xb'],
    ['CHUNKED_UPLOAD_MAX_BYTES', '-5'],
    ['CHUNKED_UPLOAD_MAX_FILENAME_BYTES', '256'],
    ['CHUNKED_UPLOAD_EXPIRES_IN', 'soon'],
    ['CHUNKED_UPLOAD_IDLE_TIMEOUT', '60d'],
    ['CHUNKED_UPLOAD_CHECKSUM', 'none,md5'],
    ['CHUNKED_UPLOAD_CLEANUP_CRON', 'often'],
    ['CHUNKED_UPLOAD_USER_RESTRICTED', 'maybe'],
    ['CHUNKED_UPLOAD_ALLOWED_EXTENSIONS', ','],
    ['CHUNKED_UPLOAD_ALLOWED_MIME_TYPES', 'image'],
    ['CHUNKED_UPLOAD_STATUS_OVERRIDES', 'offset_mismatch:200'],
    ['CHUNKED_UPLOAD_STATUS_OVERRIDES', 'no_such_code:400'],
  ])('refuses %s=%s and says what is allowed', (name, text) => {
    expect(messageFor({ [name]: text })).toMatch(`${name}=${text} must be `);
  });

  it('refuses credentials for every page there is, and what would do nothing', () => {
    expect(messageFor({ CORS_ORIGIN: '*', CORS_CREDENTIALS: 'true' })).toMatch(/any page a user opens/);
    expect(messageFor({ CORS_HEADERS: 'X-A', CORS_MAX_AGE: '1h' })).toBe(
      'CORS_HEADERS and CORS_MAX_AGE without CORS_ORIGIN would do nothing.',
    );
    expect(readEnvironment({ CORS_ORIGIN: '*', CORS_CREDENTIALS: 'false' }).cors).toEqual({
      origin: ['*'],
      credentials: false,
    });
  });

  it('says how a password with a percent sign is written', () => {
    const message = messageFor({ DATABASE_URL: 'postgres://ann:50%geheim@localhost/x' });
    expect(message).toMatch(/%25/);
    expect(message).not.toMatch(/geheim/);
  });

  it('names everything that is wrong at once, and shows no password', () => {
    const message = messageFor({
      PORT: 'abc',
      CHUNKED_UPLOAD_USERS: 'ann:geheim1,ann:geheim2',
      DATABASE_URL: 'ann:geheim3@localhost/x',
      CHUNKED_UPLOAD_MAXBYTES: '5',
    });
    expect(message).toMatch(/PORT=abc/);
    expect(message).toMatch(/CHUNKED_UPLOAD_USERS \(its value is not shown\)/);
    expect(message).toMatch(/DATABASE_URL \(its value is not shown\)/);
    expect(message).not.toMatch(/geheim/);
    expect(message).toMatch(
      /CHUNKED_UPLOAD_MAXBYTES is not a setting. Did you mean CHUNKED_UPLOAD_MAX_BYTES\?/,
    );
  });
});

describe('the table of variables', () => {
  it.each(variables)('%s says what holds when it is unset', (_name, { about, fallback, unset, parse }) => {
    expect(about).toMatch(/\.$/);
    expect([fallback, unset].filter((text) => text !== undefined)).toHaveLength(1);
    if (fallback !== undefined) expect(() => parse(fallback)).not.toThrow();
  });

  it.each(variables)('--help names %s', (name) => {
    expect(describeEnvironment()).toContain(`\n${name}\n`);
  });
});
