import { beforeEach, describe, expect, it } from '@jest/globals';
import { setImmediate as turn } from 'node:timers/promises';
import { type MultipartLimits, MultipartParser } from './multipart-parser.js';

const FILE = '--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n';
const TEXT = '--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n';

let told: string[];

function parserOf(limits: MultipartLimits = { fileField: 'file' }): MultipartParser {
  return new MultipartParser('b', limits, {
    onFile: (header, fieldsBefore) => {
      told.push(`file ${header.filename} after ${[...fieldsBefore.keys()].join()}`);
      return { append: (data) => void told.push(data.toString()), close: () => void told.push('closed') };
    },
    onComplete: (fields) => void told.push(`complete with ${[...fields.keys()].join()}`),
    onError: (error) => void told.push((error as Error).message),
  });
}

beforeEach(() => {
  told = [];
});

describe('MultipartParser', () => {
  it('has told everything about a piece when write returns, except that the last part is over', () => {
    const parser = parserOf();
    parser.write(Buffer.from(`${TEXT}1\r\n${FILE}one`));
    expect(told).toEqual(['file a after a', 'one']);
    parser.write(Buffer.from(' two'));
    parser.write(Buffer.from(`\r\n${TEXT.replace('"a"', '"b"')}2`));
    expect(told.slice(2)).toEqual([' two', 'closed']);
  });

  it('completes once, whatever follows the final boundary', async () => {
    const parser = parserOf();
    parser.write(Buffer.from(`${FILE}one\r\n--b--\r\n--b--\r\n--b\r\n\r\n`));
    await turn();
    parser.write(Buffer.from(`\r\n${FILE}two\r\n--b--`));
    parser.end();
    await turn();
    expect(told).toEqual(['file a after ', 'one', 'closed', 'complete with ']);

    told = [];
    const empty = parserOf();
    empty.write(Buffer.from('--b--\r\n--b--\r\n--b--\r\n'));
    await turn();
    expect(told).toEqual(['complete with ']);
  });

  it('tells of one error and of nothing after it, not even what stood in the same piece', async () => {
    const parser = parserOf();
    parser.write(Buffer.from(`${TEXT}1\r\n${TEXT}2\r\n${FILE}one\r\n${FILE}two\r\n--b--`));
    parser.write(Buffer.from(`${FILE}three`));
    parser.end();
    await turn();
    expect(told).toEqual(['The form has two fields "a"; send one.']);
  });
});
