import { describe, expect, it } from '@jest/globals';
import { admitFirstBytes, isTypeAllowed, mediaTypeOf, SNIFF_BYTES } from './file-type.js';

const PNG = Buffer.from('89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de', 'hex');
const ZIP = Buffer.from('504b03040a0000000000000000000000000000000000000000000000', 'hex');
const SCRIPT = Buffer.from('#!/bin/sh\nexit\n');

describe('mediaTypeOf', () => {
  it.each([
    ['image/png', 'a.txt', 'image/png'],
    [null, 'a.png', 'image/png'],
    ['application/octet-stream', 'a.PDF', 'application/pdf'],
    ['application/x-www-form-urlencoded', 'a.csv', 'text/csv'],
    [null, 'README', 'application/octet-stream'],
    ['application/octet-stream', 'a.nothing-known', 'application/octet-stream'],
    [null, '', 'application/octet-stream'],
  ])('%s of %s is %s', (declared, filename, expected) => {
    expect(mediaTypeOf(declared, filename)).toBe(expected);
  });
});

describe('isTypeAllowed', () => {
  it.each([
    ['image/png', ['image/png'], true],
    ['image/png', ['image/*'], true],
    ['image/png', ['*/*'], true],
    ['image/png', ['text/plain', 'image/*'], true],
    ['image/png', ['image/jpeg'], false],
    ['image/png', [], false],
    ['imagex/png', ['image/*'], false],
    ['image/svg+xml', ['image/png', 'text/*'], false],
  ])('%s in %j: %s', (type, allowed, expected) => {
    expect(isTypeAllowed(type, allowed)).toBe(expected);
  });
});

describe('admitFirstBytes', () => {
  const admit = (bytes: Buffer, declared: string, allowed: string[] | null, isAll = true) =>
    admitFirstBytes({ bytes, isAll }, declared, allowed);

  it.each<[string, Buffer, string, string[] | null]>([
    ['the declared type', PNG, 'image/png', ['image/png']],
    ['another allowed type', PNG, 'image/jpeg', ['image/*']],
    ['anything where all is allowed', SCRIPT, 'image/png', null],
    ['text, which has no signature', SCRIPT, 'text/plain', ['text/plain']],
    ['text that begins like a picture', Buffer.from('BMW, née Rapp'), 'text/plain', ['text/plain']],
    ['text that begins like a program', Buffer.from('MZ\r\n'), 'text/plain', ['text/plain']],
    [
      'a document whose container is a zip',
      ZIP,
      'application/vnd.oasis.opendocument.text',
      ['application/*'],
    ],
  ])('takes %s', async (_, bytes, declared, allowed) => {
    await expect(admit(bytes, declared, allowed)).resolves.toBeUndefined();
  });

  it.each<[string, Buffer, string, string[]]>([
    ['content of a type that is not allowed', PNG, 'text/plain', ['text/plain']],
    ['a script that says it is a picture', SCRIPT, 'image/png', ['image/png']],
    ['an empty file that says it is a picture', Buffer.alloc(0), 'image/png', ['image/png']],
    ['text that says it is a picture', Buffer.from('BMW'), 'image/png', ['image/png']],
    ['a picture that says it is text', Buffer.from('BM\x46\0\0\0', 'latin1'), 'text/plain', ['text/plain']],
    ['a document of text that is not allowed', Buffer.from('%PDF-1.4\n'), 'text/plain', ['text/plain']],
    ['a zip that says it is a picture', ZIP, 'image/png', ['image/png']],
  ])('refuses %s', async (_, bytes, declared, allowed) => {
    await expect(admit(bytes, declared, allowed)).rejects.toMatchObject({ code: 'type_not_allowed' });
  });

  it('does not judge by bytes that are not all there yet, but by what they show', async () => {
    await expect(admit(PNG.subarray(0, 3), 'image/png', ['image/png'], false)).resolves.toBeUndefined();
    await expect(admit(PNG, 'text/plain', ['text/plain'], false)).rejects.toMatchObject({
      code: 'type_not_allowed',
    });
  });

  it('survives what looks like a format and is none', async () => {
    const formats = [
      '1a45dfa3',
      '000000206674797069736f6d',
      '49492a00',
      '504b0304',
      '4f676753',
      '52494646',
      'ffd8ff',
    ];
    for (const start of formats) {
      const head = Buffer.from(start, 'hex');
      for (const fill of [0x00, 0xff, 0x41]) {
        const bytes = Buffer.concat([head, Buffer.alloc(SNIFF_BYTES - head.length, fill)]);
        await admit(bytes, 'text/plain', ['*/*']).catch((error: { code: string }) => {
          expect(error.code).toBe('type_not_allowed');
        });
      }
    }
  });
});
