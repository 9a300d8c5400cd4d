import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { UPLOAD_ERROR_CODES } from '../../src/index.js';
import { REST_STATUSES } from '../../src/protocols/rest/rest.response.js';

const CELL = /^\| `([a-z_]+)` +\| ([\d, ]*\d) +\| (.+) \| (.+) \|$/;

/** `unauthenticated` is 403 where no scheme has a challenge. */
const statusText = (code: keyof typeof REST_STATUSES) =>
  code === 'unauthenticated' ? '401, 403' : `${REST_STATUSES[code]}`;

describe('docs/errors.md', () => {
  const documented = new Map(
    readFileSync('docs/errors.md', 'utf8')
      .split('\n')
      .map((line) => CELL.exec(line))
      .filter((match) => match !== null)
      .map((match) => [match[1], match[2]]),
  );

  it('lists every code with its status, and no other', () => {
    expect(Object.fromEntries(documented)).toEqual(
      Object.fromEntries(UPLOAD_ERROR_CODES.map((code) => [code, statusText(code)])),
    );
  });

  it('has the same codes as the README', () => {
    const readme = readFileSync('README.md', 'utf8');
    const table = readme.slice(readme.indexOf('<!-- errors -->'), readme.indexOf('## Cleanup'));
    const codes = [...table.matchAll(/`([a-z]+(?:_[a-z]+)*)`/g)].map((match) => match[1]).sort();
    expect(codes).toEqual([...UPLOAD_ERROR_CODES].sort());
  });
});
