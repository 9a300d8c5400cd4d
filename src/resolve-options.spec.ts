import { describe, expect, it } from '@jest/globals';
import { InvalidOptionError } from './option-values.js';
import { resolveSettings } from './resolve-options.js';

const resolve = (settings: object = {}, shape: object = {}) =>
  resolveSettings({ anonymous: true, ...settings }, shape);
const context = { userId: 'ann', request: {} };

describe('resolveSettings', () => {
  it('fills in what nobody said', () => {
    const { policy, door } = resolve();
    expect(door.limits(context)).toEqual({
      minBytes: 0,
      maxBytes: Number.MAX_SAFE_INTEGER,
      maxChunkBytes: Number.MAX_SAFE_INTEGER,
      allowedExtensions: null,
      allowedMimeTypes: null,
    });
    expect(policy).toMatchObject({
      folder: '%Y/%m/%d',
      maxFilenameBytes: 255,
      expiresInMs: 86_400_000,
      algorithms: ['md5'],
      durability: 'chunk',
      idleTimeoutMs: 60_000,
      leaseTtlMs: 30_000,
      leaseLingerMs: 1_000,
      keepRecords: false,
    });
    expect(door).toMatchObject({
      isRangeRequired: true,
      response: null,
      fileField: 'file',
      publicUrl: null,
      statusOverrides: {},
      shutdownGraceMs: 10_000,
    });
    expect(door.isRestricted(context)).toBe(true);
    expect([Object.isFrozen(policy), Object.isFrozen(door)]).toEqual([true, true]);
  });

  it.each([
    ['1h', '10s', 2_000],
    ['500ms', '10s', 500],
    [0, '10s', 0],
  ])('a lease lingers %s of %s at most: %d ms', (leaseLinger, leaseTtl, leaseLingerMs) => {
    expect(resolve({ leaseLinger, leaseTtl }).policy).toMatchObject({ leaseLingerMs });
  });

  it('reads sizes, durations, lists', () => {
    const { policy, door } = resolve({
      minBytes: '1kb',
      maxBytes: '5mb',
      maxChunkBytes: 0.5 * 1024,
      expiresIn: '2h',
      idleTimeout: 1500,
      leaseTtl: '1m',
      shutdownGrace: 0,
      allowedExtensions: ['.PNG', 'jpg'],
      allowedMimeTypes: ['Image/*'],
      checksum: ['sha256', 'md5', 'sha256'],
      contentRange: 'optional',
      publicUrl: 'https://files.example.com/base/',
      statusOverrides: { offset_mismatch: 409 },
    });
    expect(door.limits(context)).toEqual({
      minBytes: 1024,
      maxBytes: 5 * 1024 ** 2,
      maxChunkBytes: 512,
      allowedExtensions: ['png', 'jpg'],
      allowedMimeTypes: ['image/*'],
    });
    expect(policy).toMatchObject({
      expiresInMs: 7_200_000,
      idleTimeoutMs: 1500,
      leaseTtlMs: 60_000,
      algorithms: ['sha256', 'md5'],
    });
    expect(door).toMatchObject({
      isRangeRequired: false,
      publicUrl: 'https://files.example.com/base',
      statusOverrides: { offset_mismatch: 409 },
      shutdownGraceMs: 0,
    });
    expect(resolve({ checksum: false }).policy.algorithms).toEqual([]);
  });

  it('asks for what depends on the request, when it comes', async () => {
    const { door } = resolve({
      maxBytes: ({ userId }: { userId: string }) => (userId === 'ann' ? '1gb' : '1mb'),
      allowedExtensions: async () => Promise.resolve(['.TXT']),
      minBytes: 5,
      userRestricted: ({ userId }: { userId: string }) => userId !== 'admin',
    });
    expect(await door.limits(context)).toMatchObject({
      maxBytes: 1024 ** 3,
      minBytes: 5,
      allowedExtensions: ['txt'],
    });
    expect(await door.limits({ ...context, userId: 'bob' })).toMatchObject({ maxBytes: 1024 ** 2 });
    expect(await door.isRestricted(context)).toBe(true);
    expect(await door.isRestricted({ ...context, userId: 'admin' })).toBe(false);
    const broken = resolve({ maxBytes: () => 'much', userRestricted: () => undefined });
    await expect(Promise.resolve(broken.door.limits(context))).rejects.toThrow(InvalidOptionError);
    expect(await broken.door.isRestricted(context)).toBe(true);
  });

  it.each<[string, unknown]>([
    ['folder', '../x'],
    ['folder', '%Q'],
    ['response', { contentType: 'a\r\nb' }],
    ['maxBytes', -1],
    ['maxBytes', 1.5],
    ['maxBytes', NaN],
    ['maxBytes', Infinity],
    ['maxBytes', '5 apples'],
    ['maxBytes', ''],
    ['maxBytes', '5mb extra'],
    ['minBytes', '-1kb'],
    ['maxChunkBytes', 'all'],
    ['maxFilenameBytes', 0],
    ['maxFilenameBytes', 256],
    ['expiresIn', 'soon'],
    ['expiresIn', 0],
    ['expiresIn', -5],
    ['expiresIn', ''],
    ['idleTimeout', Infinity],
    ['leaseTtl', '0s'],
    ['shutdownGrace', -1],
    ['checksum', 'md6'],
    ['checksum', ['md5', 'MD5']],
    ['checksum', ''],
    ['durability', 'never'],
    ['contentRange', 'sometimes'],
    ['fileField', ''],
    ['allowedMimeTypes', ['png']],
    ['allowedMimeTypes', ['image/png; q=1']],
    ['publicUrl', 'files.example.com'],
    ['publicUrl', 'ftp://example.com'],
    ['publicUrl', 'https://example.com?x=1'],
    ['statusOverrides', { nonsense: 400 }],
    ['statusOverrides', { busy: 200 }],
    ['statusOverrides', { busy: 423.5 }],
  ])('refuses %s: %p, and names it', (name, value) => {
    const given = () => resolve({ [name]: value });
    expect(given).toThrow(InvalidOptionError);
    expect(given).toThrow(new RegExp(name));
  });

  it('refuses limits that leave no room', () => {
    expect(() => resolve({ minBytes: 10, maxBytes: 9 })).toThrow(/minBytes/);
  });

  it('refuses to take uploads from everybody unless told to', () => {
    expect(() => resolve({ anonymous: false })).toThrow(/guards.*resolveUser.*anonymous/s);
    expect(() => resolve({ anonymous: false }, { guards: [] })).toThrow(InvalidOptionError);
    expect(() => resolve({ anonymous: false }, { guards: [class {}] })).not.toThrow();
    expect(() => resolve({ anonymous: false, resolveUser: () => null })).not.toThrow();
  });
});
