import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { actionFor, type ErrorAction } from '../../src/client/error-table.js';

const ROW = /^\| `([a-z_]+)` +\| (\d+)[\d, ]* \| .+ \| (.+?) +\|$/;

/** What the words of the last column mean for a client that nobody sits at. */
function actionInWords(words: string): ErrorAction {
  // Asked again, the server says that it is complete, and how.
  if (words.startsWith('stop: it is done')) return 'seek';
  if (words.includes('the newer one goes on')) return 'watch';
  if (words.includes('smaller chunks')) return 'shrink';
  if (words.includes('restart')) return 'restart';
  if (words.startsWith('seek')) return 'seek';
  // Asked for other headers it was already.
  if (words.startsWith('sign in')) return 'stop';
  return words.includes('retry') ? 'retry' : 'stop';
}

describe('What the client does about errors', () => {
  const rows = readFileSync('docs/errors.md', 'utf8')
    .split('\n')
    .map((line) => ROW.exec(line))
    .filter((match) => match !== null);

  it('is what docs/errors.md says', () => {
    expect(rows.length).toBeGreaterThan(30);
    const documented = rows.map(([, code, , words = '']) => [code, actionInWords(words)]);
    const done = rows.map(([, code = '', status]) => [code, actionFor({ code, status: Number(status) })]);
    expect(done).toEqual(documented);
  });

  it.each<[number, ErrorAction]>([
    [400, 'stop'],
    [401, 'stop'],
    [403, 'stop'],
    [404, 'restart'],
    [408, 'seek'],
    [410, 'restart'],
    [413, 'shrink'],
    [423, 'retry'],
    [429, 'retry'],
    [500, 'retry'],
    [501, 'stop'],
    [502, 'retry'],
    [504, 'retry'],
  ])('goes by the status of an answer without code: %d', (status, action) => {
    expect(actionFor({ code: 'http', status })).toBe(action);
  });
});
