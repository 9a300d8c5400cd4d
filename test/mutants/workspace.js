import { chmod, cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ROOT } from './check.js';

const COPIED = ['src', 'test', 'migrations', 'package.json', 'jest.config.js', 'tsconfig.json'];

/** A copy of the project to break things in. What its tests leave in the temporary folder is in it, too. */
export class Workspace {
  constructor(root) {
    this.root = root;
    this.temporary = path.join(root, 'tmp');
    this.cache = path.join(root, 'cache');
  }

  static async create() {
    const workspace = new Workspace(await mkdtemp(path.join(tmpdir(), 'mutants-')));
    const { root, temporary } = workspace;
    await mkdir(temporary);
    // As root, PostgreSQL runs as another user, who has to pass.
    for (const folder of [root, temporary]) await chmod(folder, 0o755);
    for (const name of COPIED) await cp(path.join(ROOT, name), path.join(root, name), { recursive: true });
    await symlink(path.join(ROOT, 'node_modules'), path.join(root, 'node_modules'));
    return workspace;
  }

  /** Runs `work` while the code has the mutant in it. */
  async mutated({ file, find, replace }, work) {
    const target = path.join(this.root, file);
    const code = await readFile(target, 'utf8');
    // As a function: in a text, `$1` of SQL would be taken for a pattern.
    await writeFile(
      target,
      code.replace(find, () => replace),
    );
    try {
      return await work();
    } finally {
      await writeFile(target, code);
    }
  }

  remove() {
    return rm(this.root, { recursive: true, force: true });
  }
}
