import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative, sep } from 'node:path';
import { staticFile, type StaticFile } from './static-files.js';

/** `from './x.js'`, `import './x.js'` and a worker's `new URL('./x.js', import.meta.url)`. */
const REFERENCE = /(?:\bfrom\s*|\bimport\s*\(?\s*|\bnew URL\(\s*)["'](\.{1,2}\/[^"']+\.js)["']/g;

/**
 * A module of the browser and all it refers to, by their paths under `root`: they keep their places among each other, so they
 * run as they were compiled. Empty where nothing was compiled, as when TypeScript is run from its sources.
 */
export function readModules(root: string, entry: string): Map<string, StaticFile> {
  const found = new Map<string, StaticFile>();
  const read = (file: string): void => {
    const path = relative(root, file).split(sep).join('/');
    if (found.has(path)) return;
    const bytes = readFileSync(file);
    found.set(path, staticFile(basename(file), bytes));
    for (const [, reference = ''] of bytes.toString().matchAll(REFERENCE))
      read(join(dirname(file), reference));
  };
  const start = join(root, entry);
  if (existsSync(start)) read(start);
  return found;
}
