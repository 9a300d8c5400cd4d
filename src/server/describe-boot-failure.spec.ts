import { createServer, type AddressInfo, type Server } from 'node:net';
import { mkdir } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { InvalidOptionError } from '../option-values.js';
import { BootError } from './boot-error.js';
import { databaseFailure } from './database-failure.js';
import { describeBootFailure } from './describe-boot-failure.js';

const URL_WITH_PASSWORD = 'postgres://ann:geheim@db.example:5433/files';

function systemError(facts: object): Error {
  return Object.assign(new Error('as the system says it'), facts);
}

function listenOn(port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject).listen(port, '127.0.0.1', () => resolve(server));
  });
}

describe('describeBootFailure', () => {
  it('passes on what a boot error says', () => {
    expect(describeBootFailure(new BootError('It is so.', ['Do this.']))).toEqual(['It is so.', 'Do this.']);
  });

  it('looks behind the failure that wraps it', () => {
    const wrapped = new Error('outer', {
      cause: new InvalidOptionError('minBytes must not be above maxBytes.'),
    });
    expect(describeBootFailure(wrapped)?.[0]).toMatch(/minBytes/);
  });

  it('says which port is taken and how to take another', async () => {
    const server = await listenOn(0);
    const { port } = server.address() as AddressInfo;
    const error = await listenOn(port).catch((reason: unknown) => reason);
    server.close();
    expect(describeBootFailure(error)).toEqual([
      expect.stringMatching(`Port ${port} is taken`),
      expect.stringMatching('PORT=3001 npm start'),
    ]);
  });

  it.each([
    [{ code: 'EACCES', syscall: 'listen', port: 80 }, /Port 80 is reserved/],
    [{ code: 'EADDRNOTAVAIL', syscall: 'listen', address: '10.9.9.9' }, /HOST names no address.*10\.9\.9\.9/],
    [{ code: 'ENOTFOUND', syscall: 'getaddrinfo' }, /HOST names no address/],
    [{ code: 'EACCES', syscall: 'mkdir', path: '/srv/data' }, /\/srv\/data cannot be written by this user/],
    [{ code: 'EROFS', syscall: 'mkdir', path: '/srv/data' }, /on a disk that cannot be written/],
    [{ code: 'ENOSPC', syscall: 'write' }, /The disk is full/],
  ])('explains %j', (facts, expected) => {
    const lines = describeBootFailure(systemError(facts));
    expect(lines?.[0]).toMatch(expected);
    expect(lines?.length).toBeGreaterThan(1);
  });

  it('explains a file in the way', async () => {
    const error = await mkdir('/dev/null/data').catch((reason: unknown) => reason);
    expect(describeBootFailure(error)?.[0]).toMatch(/cannot be a folder/);
  });

  it('leaves the unexpected alone', () => {
    expect(describeBootFailure(new TypeError('x is not a function'))).toBeNull();
    expect(describeBootFailure('text')).toBeNull();
  });
});

describe('databaseFailure', () => {
  it.each([
    ['28P01', /does not let ann in/],
    ['28000', /does not let ann in/],
    ['3D000', /no database "files" at db\.example:5433/],
    ['42501', /ann may not create tables in database "files"/],
    ['53300', /no connection left/],
    ['57P03', /not ready/],
    ['ECONNREFUSED', /db\.example:5433 cannot be reached/],
    ['ENOTFOUND', /cannot be reached/],
    ['ETIMEDOUT', /cannot be reached/],
  ])('explains %s without the password', (code, expected) => {
    const lines = describeBootFailure(databaseFailure(systemError({ code }), URL_WITH_PASSWORD));
    expect(lines?.[0]).toMatch(expected);
    expect(lines).toContainEqual(expect.stringMatching(/leave DATABASE_URL out/));
    expect(lines?.join()).not.toMatch(/geheim/);
  });

  it.each([
    ['timeout expired', /cannot be reached/],
    ['The server does not support SSL connections', /cannot be reached/],
    ['SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string', /asks ann for a password/],
  ])('explains "%s"', (message, expected) => {
    expect(describeBootFailure(databaseFailure(new Error(message), URL_WITH_PASSWORD))?.[0]).toMatch(
      expected,
    );
  });

  it('gives the reason of the first address when a host has several', () => {
    const error = Object.assign(new AggregateError([new Error('connect ECONNREFUSED ::1:5433')]), {
      code: 'ECONNREFUSED',
    });
    expect(describeBootFailure(databaseFailure(error, URL_WITH_PASSWORD))?.[0]).toMatch(
      /ECONNREFUSED ::1:5433/,
    );
  });

  it('leaves the unexpected alone', () => {
    const error = systemError({ code: '42601' });
    expect(databaseFailure(error, URL_WITH_PASSWORD)).toBe(error);
  });
});
