import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import ts from 'typescript';
import { createProgram } from '../../src/cli/program.js';
import { UPLOAD_ERROR_CODES } from '../../src/index.js';
import { ENVIRONMENT_VARIABLES } from '../../src/server/environment-variables.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

const GUIDE = 'migrating-from-django.md';

/** A row of docs/parity.md. */
const ROWS = readFileSync('docs/parity.md', 'utf8')
  .split('\n')
  .map((line) => /^\| (F\d+) +\| (.+?) +\| (.+?) +\| (.+?) +\|$/.exec(line))
  .filter((match) => match !== null)
  .map(([, number = '', feature = '', here = '', test = '']) => ({ number, feature, here, test }));

const named = (text: string) => [...text.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);

describe('docs/parity.md', () => {
  it('has each feature once, in order', () => {
    const numbers = Array.from({ length: 128 }, (_, i) => `F${String(i + 1).padStart(2, '0')}`);
    expect(ROWS.map(({ number }) => number)).toEqual(numbers);
  });

  it.each(ROWS)(
    '$number $feature: has a test that is there, or says that it is not yet',
    ({ here, test }) => {
      const [, file = '', text = ''] = /^`([^`]+)`: (.+)$/.exec(test) ?? [];
      if (test === '–') expect(here).toMatch(/^not yet/);
      else expect(existsSync(file) && readFileSync(file, 'utf8')).toContain(text);
    },
  );

  it('links to sections that are there', () => {
    const guide = readFileSync(`docs/${GUIDE}`, 'utf8');
    const anchors = [...guide.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => slug(heading));
    const within = [...guide.matchAll(/\]\(#([^)]+)\)/g)].map(([, anchor]) => anchor);
    const links = ROWS.flatMap(({ here }) => [...here.matchAll(/\]\(([^)#]+)#([^)]+)\)/g)]);
    expect(links.length).toBeGreaterThan(5);
    expect(new Set(links.map(([, page]) => page))).toEqual(new Set([GUIDE]));
    expect(anchors).toEqual(expect.arrayContaining([...within, ...links.map(([, , anchor]) => anchor)]));
  });

  describe('names', () => {
    let app: TestApp;
    let known: ReadonlySet<string>;

    beforeAll(async () => {
      app = await startTestApp({ upload: { doors: ['rest', 'form-post'] } });
      known = new Set([
        ...routesOf(app),
        ...commands(),
        ...Object.keys(ENVIRONMENT_VARIABLES),
        ...UPLOAD_ERROR_CODES,
        ...symbols(),
        ...wireNames(),
        'npm start',
      ]);
    });

    afterAll(() => app.close());

    it.each(ROWS)('$number $feature: only what there is', ({ here }) => {
      expect(named(here).filter((name) => !known.has(name))).toEqual([]);
    });
  });
});

/** The anchor that GitHub makes of a heading. */
function slug(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\w\- ]/g, '')
    .replaceAll(' ', '-');
}

/** `PUT /upload/:id`, as OpenAPI describes them, and the HEAD that every GET has. */
function routesOf({ app }: TestApp): string[] {
  const { paths } = SwaggerModule.createDocument(app, new DocumentBuilder().build());
  const routes = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.replace(/\{(\w+)\}/g, ':$1')}`),
  );
  return [...routes, ...routes.map((route) => route.replace(/^GET/, 'HEAD'))];
}

/** `cleanup`, and `cleanup --type`. */
function commands(): string[] {
  const program = createProgram(() => Promise.reject(new Error('Not run here.')));
  return program.commands.flatMap((command) => [
    command.name(),
    ...command.options.map(({ long }) => `${command.name()} ${long}`),
  ]);
}

/**
 * What src/index.ts exports, and members of what the files it exports from declare: `maxBytes`, `UploadsService.read`. By
 * syntax alone: the type checker takes minutes on a busy machine.
 */
function symbols(): string[] {
  const exported = parse('src/index.ts').filter(ts.isExportDeclaration);
  const names = exported.flatMap(({ exportClause }) =>
    exportClause && ts.isNamedExports(exportClause) ? exportClause.elements.map(({ name }) => name.text) : [],
  );
  const files = exported.map(({ moduleSpecifier }) => (moduleSpecifier as ts.StringLiteral).text);
  const members = [...new Set(files)].flatMap((file) =>
    parse(join('src', file.replace(/\.js$/, '.ts')))
      .filter((node) => ts.isInterfaceDeclaration(node) || ts.isClassDeclaration(node))
      .flatMap(({ name: owner, members }) =>
        [...members]
          .map(({ name }) => name)
          .filter((name) => name !== undefined && ts.isIdentifier(name))
          .flatMap(({ text }) => [text, `${owner?.text}.${text}`]),
      ),
  );
  return [...names, ...members];
}

function parse(path: string): ts.Statement[] {
  return [...ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.ES2023).statements];
}

/** Headers and fields of requests and answers, as the code of the doors has them. */
function wireNames(): string[] {
  const doors = ts.sys.readDirectory('src/protocols', ['.ts']);
  const code = doors.map((path) => readFileSync(path, 'utf8')).join('\n');
  return [
    ...code.matchAll(
      /'([A-Za-z]+(?:-[A-Za-z]+)+|[A-Z][a-z]+)'|\b([A-Za-z][a-z]+(?:_[a-z]+)*)\b(?=\??:|,| \})/g,
    ),
  ].map(([, header, field]) => header ?? field ?? '');
}
