import { describe, expect, it } from '@jest/globals';
import { compareChecksums, requireChecksum } from './checksum-comparison.js';

const MD5 = 'd41d8cd98f00b204e9800998ecf8427e';
const SHA1 = 'da39a3ee5e6b4b0d3255bfef95601890afd80709';
const computed = { md5: MD5, sha1: SHA1 };
const given = (fields: object) => new Map<string, unknown>(Object.entries(fields));
const codeOf = (work: () => void) => {
  try {
    work();
    return 'accepted';
  } catch (error) {
    return (error as { code: string }).code;
  }
};

describe('compareChecksums', () => {
  it.each<[string, object, string]>([
    ['one that is right', { md5: MD5 }, 'accepted'],
    ['the other one', { sha1: SHA1 }, 'accepted'],
    ['both', { md5: MD5, sha1: SHA1 }, 'accepted'],
    ['upper case', { md5: MD5.toUpperCase() }, 'accepted'],
    ['other fields beside it', { md5: MD5, filename: 'a', upload_id: 'b' }, 'accepted'],
    ['a wrong one', { md5: MD5.replace('d', 'e') }, 'checksum_mismatch'],
    ['one right and one wrong', { md5: MD5, sha1: SHA1.replace('d', 'e') }, 'checksum_mismatch'],
    ['none', {}, 'checksum_missing'],
    ['only other fields', { filename: 'a' }, 'checksum_missing'],
    ['one that was not computed', { sha256: MD5 + MD5 }, 'checksum_unknown'],
    ['one that was computed and one that was not', { md5: MD5, crc32: '00000000' }, 'checksum_unknown'],
    ['a shorter one', { md5: MD5.slice(1) }, 'checksum_malformed'],
    ['a longer one', { md5: `${MD5}0` }, 'checksum_malformed'],
    ['nothing for one', { md5: '' }, 'checksum_malformed'],
    ['base64', { md5: Buffer.from(MD5, 'hex').toString('base64').padEnd(32, '=') }, 'checksum_malformed'],
    ['a list', { md5: [MD5] }, 'checksum_malformed'],
    ['an object', { md5: { length: 32 } }, 'checksum_malformed'],
    ['a number', { md5: 5 }, 'checksum_malformed'],
    ['null', { md5: null }, 'checksum_malformed'],
    ['digits of another script', { md5: '٠'.repeat(32) }, 'checksum_malformed'],
    ['a line break at the end', { md5: `${MD5.slice(1)}\n` }, 'checksum_malformed'],
  ])('%s', (_, fields, expected) => {
    expect(codeOf(() => compareChecksums(given(fields), computed))).toBe(expected);
  });

  it('where none was computed, none is asked for or looked at', () => {
    expect(codeOf(() => compareChecksums(given({}), {}))).toBe('accepted');
    expect(codeOf(() => compareChecksums(given({ md5: 'whatever' }), {}))).toBe('accepted');
  });

  it('names the algorithms that would do', () => {
    expect.assertions(1);
    try {
      requireChecksum(given({}), ['sha256', 'md5']);
    } catch (error) {
      expect(error).toMatchObject({
        message: expect.stringContaining('sha256'),
        details: { algorithms: ['sha256', 'md5'] },
      });
    }
  });

  it('is not fooled by names every object has', () => {
    for (const name of ['__proto__', 'constructor', 'toString']) {
      expect(codeOf(() => compareChecksums(new Map([[name, MD5]]), computed))).toBe('checksum_missing');
    }
  });
});
