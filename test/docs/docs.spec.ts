import { describe, expect, it } from '@jest/globals';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { blocksOf, compile } from './compile.js';

const PAGES = readdirSync('docs')
  .filter((name) => name.endsWith('.md'))
  .map((name) => join('docs', name));

describe('The documents', () => {
  it('have TypeScript that compiles, where they say so', () => {
    const blocks = PAGES.flatMap((path) => blocksOf(readFileSync(path, 'utf8')));
    const sources = blocks.filter(({ mark }) => mark === 'compile').map(({ code }) => code);
    expect(sources.length).toBeGreaterThan(2);
    expect(compile(sources)).toEqual([]);
  });

  it.each(['README.md', ...PAGES])('%s links to files that are there', (path) => {
    const links = [...readFileSync(path, 'utf8').matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(
      ([, to = '']) => to,
    );
    expect(links.filter((to) => !existsSync(join(dirname(path), to)))).toEqual([]);
  });
});
