import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CompletePageOptions, endpointFromPage } from './page-options.js';
import { readModules } from './page-modules.js';
import { readStaticFiles, staticFile, type StaticFile } from './static-files.js';

/** Route of what the page loads, under its own: a word that an app has no folder for. */
export const ASSETS = 'upload-page';

/** Where the compiled modules of page and client are. */
const SOURCES = join(import.meta.dirname, '..');
const PAGE = 'ui/page';

/** All the page is made of. */
export interface PageFiles {
  readonly index: StaticFile;
  /** By their paths behind {@link ASSETS}. */
  readonly assets: ReadonlyMap<string, StaticFile>;
}

/** Reads the page's files, once. */
export function readPageFiles(options: CompletePageOptions): PageFiles {
  const modules = readModules(SOURCES, `${PAGE}/main.js`);
  const others = readStaticFiles(join(SOURCES, PAGE)).filter(({ name }) => /\.(css|svg)$/.test(name));
  return {
    index: indexFile(options, [...modules.keys()]),
    assets: new Map([...modules, ...others.map((file) => [`${PAGE}/${file.name}`, file] as const)]),
  };
}

function indexFile(options: CompletePageOptions, modules: readonly string[]): StaticFile {
  const html = readFileSync(join(SOURCES, PAGE, 'index.html'), 'utf8');
  const values: Readonly<Record<string, string>> = {
    title: escapeHtml(options.title),
    endpoint: escapeHtml(endpointFromPage(options)),
    // All at once: found one by one, each module would cost a round trip.
    preloads: modules.map((path) => `<link rel="modulepreload" href="${ASSETS}/${path}" />`).join('\n    '),
  };
  const filled = html.replace(/\{\{(\w+)\}\}/g, (_, name: string) => values[name] ?? '');
  return staticFile('index.html', Buffer.from(filled));
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
