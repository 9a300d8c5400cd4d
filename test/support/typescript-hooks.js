import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { transform, version } from '@swc/core';

const options = {
  swcrc: false,
  jsc: {
    target: 'es2023',
    keepClassNames: true,
    parser: { syntax: 'typescript', decorators: true },
    transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: false },
  },
  module: { type: 'es6' },
  sourceMaps: 'inline',
};

/** Compiled sources by their content: tests start some hundred programs. */
const CACHE = fileURLToPath(new URL('../../node_modules/.cache/typescript-hooks/', import.meta.url));
const made = mkdir(CACHE, { recursive: true });

/** Finds the `.ts` file behind an import that ends in `.js`, as TypeScript does. */
export async function resolve(specifier, context, next) {
  const relative = specifier.startsWith('.') || specifier.startsWith('file:');
  if (relative && specifier.endsWith('.js')) {
    try {
      return await next(specifier.replace(/\.js$/, '.ts'), context);
    } catch (error) {
      if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
    }
  }
  return next(specifier, context);
}

/** Compiles TypeScript as the tests do. */
export async function load(url, context, next) {
  if (!url.startsWith('file:') || !url.endsWith('.ts')) return next(url, context);
  const filename = fileURLToPath(url);
  const source = await readFile(filename, 'utf8');
  const key = createHash('sha256')
    .update(JSON.stringify([version, options, filename, source]))
    .digest('hex');
  const cached = await readFile(`${CACHE}${key}.js`, 'utf8').catch(() => null);
  return { format: 'module', source: cached ?? (await compile(source, filename, key)), shortCircuit: true };
}

async function compile(source, filename, key) {
  const { code } = await transform(source, { ...options, filename });
  await made;
  // Whole or not at all: others read while we write.
  const written = `${CACHE}${key}.${process.pid}.${Math.random()}`;
  await writeFile(written, code);
  await rename(written, `${CACHE}${key}.js`);
  return code;
}
