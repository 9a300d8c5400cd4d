import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseUploadId } from './upload-id.js';

const ID = '0f8fad5b-d9cb-469f-a165-70867728950e';

describe('parseUploadId', () => {
  it.each([ID, ID.toUpperCase(), ID.replaceAll('-', ''), ID.replaceAll('-', '').toUpperCase()])(
    'reads %s',
    (id) => {
      expect(parseUploadId(id)).toBe(ID);
    },
  );

  it('reads the nil id, which no upload has', () => {
    expect(parseUploadId('00000000-0000-0000-0000-000000000000')).toBe(
      '00000000-0000-0000-0000-000000000000',
    );
  });

  it.each([
    '',
    ' ',
    'me',
    '1',
    '../../etc/passwd',
    '..%2f..%2fetc',
    '\u0000',
    `${ID}\u0000`,
    `${ID}\n`,
    ` ${ID}`,
    `${ID} `,
    `${ID}/`,
    `{${ID}}`,
    `urn:uuid:${ID}`,
    ID.slice(0, -1),
    `${ID}0`,
    ID.replace('0', 'g'),
    ID.replace('0', '０'),
    ID.replaceAll('-', '–'),
    ID.replace('-', ''),
    '0f8fad5bd-9cb-469f-a165-70867728950e',
    '0'.repeat(31),
    '0'.repeat(33),
    '0'.repeat(36),
    '-'.repeat(36),
    "' OR 1=1 --",
  ])('knows no upload %j', (id) => {
    expect(parseUploadId(id)).toBeNull();
  });

  it('reads every spelling of every UUID as the same id', () => {
    fc.assert(
      fc.property(fc.uuid(), fc.boolean(), fc.boolean(), (id, bare, upper) => {
        const spelled = bare ? id.replaceAll('-', '') : id;
        expect(parseUploadId(upper ? spelled.toUpperCase() : spelled)).toBe(id);
      }),
    );
  });

  it('knows no upload of a long id', () => {
    expect(parseUploadId(ID.repeat(300))).toBeNull();
    expect(parseUploadId('0'.repeat(1_000_000))).toBeNull();
  });

  it('gives nothing but a UUID, whatever it is asked', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: 'binary' }), fc.stringMatching(/^[0-9a-fA-F-]{30,37}$/)),
        (value) => {
          expect(parseUploadId(value) ?? ID).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
        },
      ),
    );
  });
});
