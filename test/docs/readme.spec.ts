import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startTestApp, type TestApp } from '../support/test-app.js';
import ts from 'typescript';
import { blocksOf, compile } from './compile.js';

const README = readFileSync('README.md', 'utf8');
const run = promisify(execFile);

const BLOCKS = blocksOf(README);

describe('The README', () => {
  it('has at most 300 lines', () => {
    expect(README.split('\n').length).toBeLessThanOrEqual(301);
  });

  it('shows an app of at most 25 lines', () => {
    const app = BLOCKS.find(({ mark }) => mark === 'app');
    expect(app?.code.trim().split('\n').length).toBeLessThanOrEqual(25);
  });

  it('has TypeScript that compiles', () => {
    const sources = BLOCKS.filter(({ language }) => language === 'ts').map(({ code }) => code);
    expect(sources.length).toBeGreaterThan(1);
    expect(compile(sources)).toEqual([]);
  });

  it('lists every option, and no other', () => {
    const table = README.slice(README.indexOf('<!-- options -->'), README.indexOf('## Errors'));
    const listed = table
      .split('\n')
      .filter((line) => /^\| +`/.test(line))
      .flatMap((line) => [...(line.split('|')[1] ?? '').matchAll(/`(\w+)`/g)].map((match) => match[1]));
    const declared = [...interfacesIn('src/upload-options.ts', ['UploadShape', 'UploadSettings'])].concat(
      interfacesIn('src/engine/upload-hooks.interface.ts', ['UploadHooks']),
    );
    expect(listed.sort()).toEqual(declared.sort());
  });
});

/** Names of the properties that interfaces of a file declare. */
function interfacesIn(path: string, names: string[]): string[] {
  const source = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.ES2023);
  return source.statements
    .filter((node) => ts.isInterfaceDeclaration(node))
    .filter(({ name }) => names.includes(name.text))
    .flatMap(({ members }) => members.map((member) => (member.name as ts.Identifier).text));
}

describe('The curl session of the README', () => {
  let app: TestApp;
  let folder: string;
  let url = '';

  beforeAll(async () => {
    app = await startTestApp();
    folder = mkdtempSync(join(tmpdir(), 'readme-'));
  });

  afterAll(async () => {
    await app.close();
    rmSync(folder, { recursive: true });
  });

  const shell = async (code: string): Promise<string> => {
    const here = `set -e\nURL=${url}\ncurl() { command curl -s "$@"; }\n${code}`;
    return (
      await run('bash', ['-c', here.replaceAll('http://localhost:3000', app.origin)], { cwd: folder })
    ).stdout.trim();
  };

  it('gives the answers it shows, one block after the other', async () => {
    const blocks = BLOCKS.filter(({ mark, language }) => language === 'json' || mark.startsWith('run'));
    let last: Record<string, unknown> = {};
    for (const { mark, language, code } of blocks) {
      if (language === 'json') {
        const shown = JSON.parse(code) as Record<string, unknown>;
        expect(shapeOf(last)).toEqual(shapeOf(shown));
        continue;
      }
      const answers = (await shell(code)).split(/(?<=\})(?=\{)/);
      last = JSON.parse(answers.at(-1) ?? '{}') as Record<string, unknown>;
      url ||= String(last.url);
      if (mark.includes('expect')) expect(mark).toContain(String(last.code));
      else expect(last).toHaveProperty('offset');
    }
    expect(url).not.toBe('');
  });
});

/** What an answer always has; ids, urls and times are of their moment. */
function shapeOf(answer: Record<string, unknown>): Record<string, unknown> {
  const ofTheMoment = new Set(['id', 'url', 'expires', 'created_at']);
  return Object.fromEntries(
    Object.entries(answer).map(([key, value]) => [key, ofTheMoment.has(key) ? typeof value : value]),
  );
}
