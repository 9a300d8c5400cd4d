import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { transform } from '@swc/core';

const PROJECT = join(import.meta.dirname, '../../..');
const SOURCES = ['src', 'migrations', 'test/crash'];

/**
 * The server, compiled once for a whole suite: it is started dozens of times, and compiling would be most of that. All of
 * its processes are also the same program, whatever is edited meanwhile.
 */
export class CompiledServer {
  private constructor(private readonly folder: string) {}

  static async compile(): Promise<CompiledServer> {
    const folder = await mkdtemp(join(tmpdir(), 'crash-server-'));
    await symlink(join(PROJECT, 'node_modules'), join(folder, 'node_modules'));
    await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
    await Promise.all((await sources()).map((file) => compileInto(folder, file)));
    return new CompiledServer(folder);
  }

  /** The program to run. */
  get entry(): string {
    return join(this.folder, 'test/crash/server.js');
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}

async function sources(): Promise<string[]> {
  const found = await Promise.all(
    SOURCES.map((name) => readdir(join(PROJECT, name), { recursive: true, withFileTypes: true })),
  );
  return found
    .flat()
    .filter(({ name }) => name.endsWith('.ts') && !name.endsWith('.spec.ts'))
    .map(({ parentPath, name }) => join(parentPath, name));
}

async function compileInto(folder: string, file: string): Promise<void> {
  const target = join(folder, relative(PROJECT, file)).replace(/\.ts$/, '.js');
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
  await mkdir(dirname(target), { recursive: true });
  await writeFile(target, code);
}
