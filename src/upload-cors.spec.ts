import { describe, expect, it } from '@jest/globals';
import { InvalidOptionError } from './option-values.js';
import { uploadCors, type UploadCorsOptions } from './upload-cors.js';

describe('uploadCors', () => {
  it('lets pages use every method, and read what uploaders steer by', () => {
    const options = uploadCors({ origin: 'https://app.example.com' });
    expect(options).toMatchObject({ origin: ['https://app.example.com'], credentials: false, maxAge: 600 });
    expect(options.methods).toEqual(expect.arrayContaining(['PUT', 'DELETE']));
    expect(options.exposedHeaders).toEqual(expect.arrayContaining(['Location', 'Range', 'Upload-Offset']));
    expect(options).not.toHaveProperty('allowedHeaders');
  });

  it('takes over what is set', () => {
    const given = {
      methods: ['PUT'],
      headers: ['X-A'],
      exposedHeaders: ['X-B'],
      maxAge: '1h',
      credentials: true,
    };
    const options = uploadCors({
      origin: [/^https:\/\/\w+\.example\.com$/, 'app://-'],
      ...given,
    });
    expect(options).toMatchObject({
      origin: [/^https:\/\/\w+\.example\.com$/, 'app://-'],
      methods: ['PUT'],
      allowedHeaders: ['X-A'],
      credentials: true,
      maxAge: 3600,
    });
    expect(options.exposedHeaders).toEqual(expect.arrayContaining(['X-B', 'Range']));
  });

  it.each([['*'], [['https://a.example', '*']]])('takes %j for all, but not with credentials', (origin) => {
    expect(uploadCors({ origin }).origin).toBe('*');
    expect(() => uploadCors({ origin, credentials: true })).toThrow(/any page a user opens/);
  });

  it.each([
    ['https://app.example.com/'],
    ['https://APP.example.com'],
    ['https://app.example.com:443'],
    ['https://app.example.com/path'],
    ['app.example.com'],
    ['null'],
    [''],
    [/app\.example\.com/],
    [/^https:\/\/app\.example\.com/],
    [[]],
    [true as never],
    [undefined as never],
  ])('refuses %p, which no browser sends or anybody can have', (origin) => {
    expect(() => uploadCors({ origin })).toThrow(InvalidOptionError);
  });

  it('leaves a function to decide', () => {
    const origin: UploadCorsOptions['origin'] = (_origin, decide) => decide(null, true);
    expect(uploadCors({ origin, credentials: true }).origin).toBe(origin);
  });
});
