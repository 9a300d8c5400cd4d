import { constants, type Stats, writev } from 'node:fs';
import { type FileHandle, mkdir, open, rmdir, stat } from 'node:fs/promises';
import { dirname, relative, sep } from 'node:path';
import { promisify } from 'node:util';
import { systemCode } from '../../errors/system-code.js';

const { O_CREAT, O_NOFOLLOW, O_RDWR, O_TRUNC } = constants;
const writeVector = promisify(writev);

/** Owner only: nobody but the server reads what users upload. */
const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;

/** Opens a file for writing at positions; never through a symbolic link somebody planted. */
export function openExisting(path: string): Promise<FileHandle> {
  return open(path, O_RDWR | O_NOFOLLOW);
}

/** Creates an empty file, or empties the one that is there. */
export function openEmpty(path: string): Promise<FileHandle> {
  return open(path, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW, FILE_MODE);
}

/** Writes all of `buffers` at `position`. A write may be short without an error (full disk, RLIMIT_FSIZE): loop. */
export async function writeFully(
  file: FileHandle,
  buffers: readonly Buffer[],
  position: number,
): Promise<number> {
  let rest = [...buffers];
  let at = position;
  while (rest.length > 0) {
    const { bytesWritten } = await writeVector(file.fd, rest, at);
    at += bytesWritten;
    rest = dropFirst(rest, bytesWritten);
    if (bytesWritten === 0 && rest.length > 0)
      throw Object.assign(new Error('write made no progress'), { code: 'EIO' });
  }
  return at - position;
}

/** What remains of `buffers` after their first `count` bytes. */
function dropFirst(buffers: Buffer[], count: number): Buffer[] {
  let skip = count;
  for (const [index, buffer] of buffers.entries()) {
    if (skip < buffer.length) return [buffer.subarray(skip), ...buffers.slice(index + 1)];
    skip -= buffer.length;
  }
  return [];
}

/** Makes the names in a folder durable: a file survives a power cut only when its directory entry does too. */
export async function syncFolder(path: string): Promise<void> {
  await syncFolderAfter(path, () => Promise.resolve(true));
}

/** The same once `change` has changed names in it; the folder is opened meanwhile. Nothing is synced when it says false. */
export async function syncFolderAfter(path: string, change: () => Promise<boolean>): Promise<boolean> {
  const opening = open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  opening.catch(() => undefined);
  try {
    const isChanged = await change();
    if (isChanged) await (await opening).sync();
    return isChanged;
  } finally {
    // Nothing was written through it: no news can come of closing it, and nobody has to wait.
    opening.then((folder) => folder.close()).catch(() => undefined);
  }
}

/** Folders; an app may have one for each upload. */
const MOST_REMEMBERED = 10_000;

/** Creates folders under a root, and makes their names durable: each once in the life of the process. */
export class FolderMaker {
  private readonly durable = new Set<string>();

  /** @param root exists. */
  constructor(private readonly root: string) {}

  /** Creates the folders from the root down to `folder`; also syncs those that another process has just made. */
  async ensure(folder: string): Promise<void> {
    if (this.durable.has(folder)) return;
    if (this.durable.size > MOST_REMEMBERED) this.durable.clear();
    let path = this.root;
    for (const name of relative(this.root, folder).split(sep).filter(Boolean)) {
      path = `${path}${sep}${name}`;
      if (this.durable.has(path)) continue;
      try {
        await mkdir(path, { mode: FOLDER_MODE });
      } catch (error) {
        if (systemCode(error) !== 'EEXIST') throw error;
      }
      await syncFolder(dirname(path));
      this.durable.add(path);
    }
  }

  /** Looks again: a folder that was there is not. */
  forget(): void {
    this.durable.clear();
  }
}

/** Removes the folders from `folder` up to `root` (which stays), as far as they are empty. */
export async function removeEmptyFolders(root: string, folder: string): Promise<void> {
  try {
    for (let path = folder; path !== root; path = dirname(path)) await rmdir(path);
  } catch {
    // Not empty, or gone already.
  }
}

/** What is known of a file; null when there is none. */
export async function statOrNull(path: string): Promise<Stats | null> {
  try {
    return await stat(path);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null;
    throw error;
  }
}
