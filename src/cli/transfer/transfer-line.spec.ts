import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { columnsOf } from './terminal-text.js';
import { transferLine, transferSentence } from './transfer-line.js';
import type { TransferView } from './transfer.js';

const MB = 1024 * 1024;
const HALF: TransferView = {
  name: 'video.mp4',
  doneBytes: 50 * MB,
  sizeBytes: 100 * MB,
  bytesPerSecond: 5 * MB,
  note: null,
};
const drawn = (view: Partial<TransferView>, columns: number, isColoured = false) =>
  transferLine({ ...HALF, ...view }, { columns, nameColumns: 9, isColoured }).trimEnd();

describe('transferLine', () => {
  it.each([
    [
      110,
      'video.mp4  [===================>                 ]   50 %         50 MB of 100 MB       5 MB/s  10 s left',
    ],
    [79, 'video.mp4  [==============>             ]   50 %       5 MB/s  10 s left'],
    [50, 'video.mp4  [=====>     ]   50 %  10 s left'],
    [25, 'video.mp4   50 %'],
  ])('in %i columns', (columns, expected) => {
    expect(drawn({}, columns).replace(/=+/, '=')).toBe(expected.replace(/=+/, '='));
  });

  it('says what it waits for, and nothing of what is unknown', () => {
    expect(drawn({ note: 'retry in 5 s' }, 79)).toMatch(/5 MB\/s {2}retry in 5 s$/);
    expect(drawn({ sizeBytes: null }, 79)).toMatch(/\[> +\] +50 MB +5 MB\/s$/);
    expect(drawn({ bytesPerSecond: null }, 79)).toMatch(/50 %$/);
    expect(drawn({ doneBytes: 0, sizeBytes: 0 }, 79)).toMatch(/=\] +100 %/);
    expect(drawn({ doneBytes: 100 * MB - 1 }, 79)).toMatch(/99 %/);
  });

  it('has colours only where they are wanted', () => {
    expect(drawn({}, 79, true)).toContain('\u001b[32m[');
    expect(drawn({}, 79)).not.toContain('\u001b');
  });

  it('never takes more columns than there are', () => {
    const size = fc.nat(2 ** 40);
    fc.assert(
      fc.property(
        fc.string(),
        size,
        fc.option(size),
        fc.integer({ min: 20, max: 200 }),
        (name, done, all, columns) => {
          const view = { name, doneBytes: done, sizeBytes: all, bytesPerSecond: done, note: null };
          const nameColumns = columnsOf(name);
          const line = transferLine(view, { columns, nameColumns, isColoured: false });
          expect(columnsOf(line)).toBeLessThanOrEqual(columns);
        },
      ),
    );
  });
});

describe('transferSentence', () => {
  it('tells the same', () => {
    expect(transferSentence(HALF)).toBe('video.mp4: 50 %, 50 MB of 100 MB, 5 MB/s, 10 s left');
    expect(transferSentence({ ...HALF, sizeBytes: null, note: 'completing' })).toBe(
      'video.mp4: 50 MB, completing',
    );
  });
});
