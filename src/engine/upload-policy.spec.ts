import { describe, expect, it } from '@jest/globals';
import { admitName, admitSize, admitWindow, type UploadLimits } from './upload-policy.js';

const limits = {
  minBytes: 10,
  maxBytes: 1000,
  maxChunkBytes: 100,
  allowedExtensions: ['png', 'gz'],
  allowedMimeTypes: ['image/*', 'application/gzip'],
} satisfies UploadLimits;

const codeOf = (work: () => void) => {
  try {
    work();
    return 'admitted';
  } catch (error) {
    const { code, details } = error as { code: string; details: { limitBytes?: number } };
    return details.limitBytes === undefined ? code : `${code} ${details.limitBytes}`;
  }
};

describe('admitWindow', () => {
  it.each<[number, number, number | null, string]>([
    [0, 100, 1000, 'admitted'],
    [0, 101, 1000, 'chunk_too_large 100'],
    [0, 50, 1001, 'too_large 1000'],
    [950, 1000, null, 'admitted'],
    [950, 1001, null, 'too_large 1000'],
    [0, 5, null, 'admitted'],
    [0, 5, 10, 'admitted'],
    [0, 5, 9, 'too_small 10'],
    [0, 0, 0, 'too_small 10'],
  ])('%i to %i of %p: %s', (start, end, total, expected) => {
    expect(codeOf(() => admitWindow(limits, { start, end, total }))).toBe(expected);
  });
});

describe('admitSize', () => {
  it.each([
    [9, 'too_small 10'],
    [10, 'admitted'],
    [1000, 'admitted'],
    [1001, 'too_large 1000'],
  ])('%i bytes: %s', (size, expected) => expect(codeOf(() => admitSize(limits, size))).toBe(expected));
});

describe('admitName', () => {
  it.each([
    ['a.png', 'image/png', 'admitted'],
    ['a.b.GZ', 'application/gzip', 'admitted'],
    ['a.exe', 'image/png', 'type_not_allowed'],
    ['png', 'image/png', 'type_not_allowed'],
    ['.png', 'image/png', 'type_not_allowed'],
    ['a.png.', 'image/png', 'type_not_allowed'],
    ['a.png ', 'image/png', 'type_not_allowed'],
    ['a.png', 'text/html', 'type_not_allowed'],
  ])('%s, %s: %s', (filename, type, expected) => {
    expect(codeOf(() => admitName(limits, filename, type))).toBe(expected);
  });

  it('admits everything where nothing is said', () => {
    const open = { ...limits, allowedExtensions: null, allowedMimeTypes: null };
    expect(codeOf(() => admitName(open, '', ''))).toBe('admitted');
  });

  it('admits nothing where the lists are empty', () => {
    const shut = { ...limits, allowedExtensions: [], allowedMimeTypes: null };
    expect(codeOf(() => admitName(shut, 'a.png', 'image/png'))).toBe('type_not_allowed');
  });
});
