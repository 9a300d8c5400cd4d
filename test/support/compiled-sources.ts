import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { transform } from '@swc/core';

const PROJECT = join(import.meta.dirname, '../..');

/**
 * Programs, compiled once for a whole suite: they are started dozens of times, and compiling would be most of that. All of
 * their processes are also the same program, whatever is edited meanwhile.
 */
export class CompiledSources {
  private constructor(private readonly folder: string) {}

  /** @param folders of TypeScript beside `src` and `migrations`. */
  static async compile(...folders: string[]): Promise<CompiledSources> {
    const folder = await mkdtemp(join(tmpdir(), 'compiled-'));
    await symlink(join(PROJECT, 'node_modules'), join(folder, 'node_modules'));
    await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
    await Promise.all(
      (await sourcesIn(['src', 'migrations', ...folders])).map((file) => compileInto(folder, file)),
    );
    return new CompiledSources(folder);
  }

  /** The compiled file of a TypeScript file, by its name in the project. */
  path(name: string): string {
    return join(this.folder, name.replace(/\.ts$/, '.js'));
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}

async function sourcesIn(folders: readonly string[]): Promise<string[]> {
  const found = await Promise.all(
    folders.map((name) => readdir(join(PROJECT, name), { recursive: true, withFileTypes: true })),
  );
  return found
    .flat()
    .filter(({ name }) => /\.(ts|css|html|svg)$/.test(name) && !name.endsWith('.spec.ts'))
    .map(({ parentPath, name }) => join(parentPath, name));
}

async function compileInto(folder: string, file: string): Promise<void> {
  const target = join(folder, relative(PROJECT, file)).replace(/\.ts$/, '.js');
  await mkdir(dirname(target), { recursive: true });
  if (!file.endsWith('.ts')) return copyFile(file, target);
  const { code } = await transform(await readFile(file, 'utf8'), {
    filename: file,
    swcrc: false,
    jsc: {
      target: 'es2023',
      keepClassNames: true,
      parser: { syntax: 'typescript', decorators: true },
      transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: false },
    },
    module: { type: 'es6' },
  });
  await writeFile(target, code);
}
