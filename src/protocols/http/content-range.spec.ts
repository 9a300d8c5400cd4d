import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { UploadError } from '../../errors/upload-error.js';
import { parseContentRange } from './content-range.js';

const MAX = Number.MAX_SAFE_INTEGER;

function refusal(header: string): UploadError {
  try {
    parseContentRange(header);
  } catch (error) {
    if (UploadError.is(error, 'content_range_invalid')) return error;
    throw error;
  }
  throw new Error(`${JSON.stringify(header)} was accepted`);
}

describe('parseContentRange', () => {
  it('has no window without a header', () => {
    expect(parseContentRange(undefined)).toBeNull();
  });

  it.each([
    ['bytes 0-0/1', { start: 0, end: 1, total: 1 }],
    ['bytes 0-9/10', { start: 0, end: 10, total: 10 }],
    ['bytes 10-19/100', { start: 10, end: 20, total: 100 }],
    ['bytes 0-9/*', { start: 0, end: 10, total: null }],
    ['BYTES 5-9/10', { start: 5, end: 10, total: 10 }],
    ['bytes */0', { start: 0, end: 0, total: 0 }],
    [`bytes 0-${MAX - 1}/${MAX}`, { start: 0, end: MAX, total: MAX }],
    [`bytes ${MAX - 1}-${MAX - 1}/*`, { start: MAX - 1, end: MAX, total: null }],
  ])('reads %s', (header, window) => {
    expect(parseContentRange(header)).toEqual(window);
  });

  it.each([
    '',
    'bytes',
    'bytes ',
    'bytes 0-9',
    'bytes 0-9/',
    'bytes -9/10',
    'bytes 0-/10',
    'bytes=0-9/10',
    'bytes: 0-9/10',
    'bytes  0-9/10',
    'bytes\t0-9/10',
    ' bytes 0-9/10',
    'bytes 0-9/10 ',
    'bytes 0-9/10\n',
    'bytes 0-9/10\r\n',
    'bytes 0 - 9/10',
    'bytes 0-9 / 10',
    'octets 0-9/10',
    'chars 0-9/10',
    '0-9/10',
    'bytes +0-9/10',
    'bytes 0-+9/10',
    'bytes 0--9/10',
    'bytes -1-9/10',
    'bytes 00-9/10',
    'bytes 0-09/10',
    'bytes 0-9/010',
    'bytes 0x0-0x9/0xa',
    'bytes 0-1e3/1e4',
    'bytes 0.0-9.0/10.0',
    'bytes ٠-٩/١٠',
    'bytes ０-９/１０',
    'bytes 0_0-9/10',
    'bytes 0-9/10, bytes 10-19/20',
    'bytes 0-9/10,',
    'bytes 0-9/10;x',
    'bytes 0-9/10\u0000',
    'bytes */10',
    'bytes */*',
    'bytes */00',
    'bytes *-9/10',
    'bytes 0-*/10',
    'bytes 5-4/10',
    'bytes 0-10/10',
    'bytes 10-10/10',
    'bytes 0-0/0',
    'bytes 10-19/15',
    `bytes 0-${MAX}/*`,
    `bytes ${MAX}-${MAX}/*`,
    'bytes 0-9/9007199254740992',
    'bytes 9007199254740993-9007199254740994/*',
    'bytes 0-9/99999999999999999',
    'bytes 0-9/18446744073709551616',
  ])('refuses %j', (header) => {
    expect(refusal(header)).toBeInstanceOf(UploadError);
  });

  it('quotes the header, says what is wrong with it and what to send', () => {
    expect(refusal('bytes 0-10/10').message).toBe(
      'Content-Range "bytes 0-10/10" cannot be used: its last byte must be below its total. Send ' +
        '"bytes <first>-<last>/<total>" once, for example "bytes 0-1048575/5242880"; the total may be "*" while ' +
        'unknown, an empty file is "bytes */0".',
    );
    expect(refusal('bytes 0-9/10\r\nX: y').message).toContain('"bytes 0-9/10��X: y"');
  });

  it('is done with a megabyte at once', () => {
    const started = performance.now();
    for (const header of ['9'.repeat(1e6), `bytes ${'0'.repeat(1e6)}-1/2`, `bytes 0-${' '.repeat(1e6)}`]) {
      expect(refusal(header).message).toContain('it is too long');
      expect(refusal(header).message.length).toBeLessThan(400);
    }
    expect(performance.now() - started).toBeLessThan(1000);
  });

  it('reads back every window that can be written', () => {
    const total = fc.option(fc.maxSafeNat(), { nil: null });
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.maxSafeNat(), total, (one, other, size) => {
        const start = Math.min(one, other);
        const last = Math.max(one, other);
        const header = `bytes ${start}-${last}/${size ?? '*'}`;
        if (last === MAX || (size !== null && last >= size)) expect(refusal(header)).toBeDefined();
        else expect(parseContentRange(header)).toEqual({ start, end: last + 1, total: size });
      }),
    );
  });

  it('agrees with the grammar of RFC 9110, written another way, on any string near it', () => {
    const number = fc.constantFrom(
      '0',
      '1',
      '9',
      '10',
      '*',
      '01',
      '',
      '+1',
      '1 ',
      '9007199254740991',
      '9007199254740992',
    );
    const nearly = fc.tuple(
      fc.constantFrom('bytes', 'bytes', 'Bytes', 'byte', ''),
      fc.constantFrom(' ', ' ', ' ', '  ', '=', ''),
      number,
      fc.constantFrom('-', '-', '-', '', '--'),
      number,
      fc.constantFrom('/', '/', '/', '', ', '),
      number,
    );
    fc.assert(
      fc.property(nearly, (pieces) => {
        const header = pieces.join('');
        if (acceptable(header)) expect(parseContentRange(header)).not.toBeNull();
        else expect(refusal(header)).toBeDefined();
      }),
      { numRuns: 10_000 },
    );
  });
});

/** The rule in terms of splitting and printing instead of matching. */
function acceptable(header: string): boolean {
  const [unit, rest, ...more] = header.split(' ');
  if (unit?.toLowerCase() !== 'bytes' || rest === undefined || more.length > 0) return false;
  if (rest === '*/0') return true;
  const [range, total, ...tail] = rest.split('/');
  const [first, last, ...others] = (range ?? '').split('-');
  if (tail.length > 0 || others.length > 0 || !plain(first) || !plain(last)) return false;
  if (Number(first) > Number(last) || Number(last) === MAX) return false;
  return total === '*' || (plain(total) && Number(last) < Number(total));
}

function plain(digits: string | undefined): boolean {
  return digits !== undefined && digits === String(Number(digits)) && Number(digits) <= MAX;
}
