import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';

const run = async (option: string) =>
  (await promisify(execFile)(process.execPath, ['test/mutants/run.js', option])).stdout;

/** A row of a table, whatever its columns are padded to. */
const rowsOf = (text: string) =>
  text
    .split('\n')
    .filter((line) => line.startsWith('| ') && !line.includes('---'))
    .map((line) => line.replace(/ +/g, ' ').trim());

/** `node test/mutants/run.js` breaks the code with them. */
describe('The mutants', () => {
  it('fit the code as it is', async () => {
    expect(await run('--check')).toMatch(/^\d\d mutants fit the code\.\n$/);
  });

  it('stand in docs/testing.md, each with what kills it', async () => {
    const documented = new Set(rowsOf(await readFile('docs/testing.md', 'utf8')));
    expect(rowsOf(await run('--table')).filter((row) => !documented.has(row))).toEqual([]);
  });
});
