import { type Stats } from 'node:fs';
import { lstat, readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { systemCode } from '../../errors/system-code.js';

/** A file to upload. */
export interface LocalFile {
  /** As it was named, or below the folder that was. */
  readonly path: string;
  /** Without its folders. */
  readonly name: string;
  readonly sizeBytes: number;
  /** In ms since 1970. */
  readonly modifiedAt: number;
}

/** Something that was named and cannot be uploaded. */
export interface Unusable {
  readonly path: string;
  readonly code: string;
  /** Why, for people. */
  readonly message: string;
}

/** What was found behind the names. */
export interface Found {
  readonly files: LocalFile[];
  readonly unusable: Unusable[];
  /** Entries of folders that were left out: symbolic links, devices, and what is hidden. */
  skipped: number;
}

const MESSAGES: Readonly<Record<string, string>> = {
  ENOENT: 'There is no such file.',
  EACCES: 'It may not be read.',
  ELOOP: 'It is a symbolic link to itself.',
};

/**
 * Files behind names, folders searched to the bottom, in the order of their names. A name of a symbolic link stands for
 * what it points to; inside of folders links are left out, as they may lead anywhere.
 * @param withHidden Also what begins with a dot inside of folders. What is named is always meant.
 */
export async function findFiles(names: readonly string[], withHidden: boolean): Promise<Found> {
  const found: Found = { files: [], unusable: [], skipped: 0 };
  for (const name of names) {
    const before = found.files.length + found.unusable.length;
    await attempt(name, found, async () => add(name, await stat(name), { found, withHidden, isNamed: true }));
    if (found.files.length + found.unusable.length === before) {
      found.unusable.push({
        path: name,
        code: 'empty',
        message: 'There is no file in this folder to upload.',
      });
    }
  }
  return found;
}

interface Search {
  readonly found: Found;
  readonly withHidden: boolean;
  readonly isNamed: boolean;
}

async function add(path: string, stats: Stats, search: Search): Promise<void> {
  const { found, isNamed } = search;
  if (stats.isDirectory()) return addFolder(path, { ...search, isNamed: false });
  if (stats.isFile()) {
    const { size: sizeBytes, mtimeMs: modifiedAt } = stats;
    found.files.push({ path, name: basename(path), sizeBytes, modifiedAt });
  } else if (isNamed) {
    const message = 'It is no file. Read it yourself and say: … | chunked-upload put - --name NAME --to URL';
    found.unusable.push({ path, code: 'no_file', message });
  } else found.skipped++;
}

async function addFolder(folder: string, search: Search): Promise<void> {
  const { found, withHidden } = search;
  await attempt(folder, found, async () => {
    const names = (await readdir(folder)).sort();
    for (const name of names) {
      const path = join(folder, name);
      if (!withHidden && name.startsWith('.')) found.skipped++;
      else await attempt(path, found, async () => add(path, await lstat(path), search));
    }
  });
}

async function attempt(path: string, { unusable }: Found, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const code = systemCode(error);
    if (code === undefined) throw error;
    unusable.push({ path, code, message: MESSAGES[code] ?? (error as Error).message });
  }
}
