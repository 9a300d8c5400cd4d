import { opendir, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { systemCode } from '../../errors/system-code.js';
import { type FileExtensions, uploadIdOf } from '../storage-key.js';
import type { StoredObject } from '../sweepable-storage.js';

/** Every file under `root` that is named like one of ours; links are not followed, and one folder is open at a time. */
export async function* listObjects(
  root: string,
  extensions: FileExtensions,
  folder = root,
): AsyncIterable<StoredObject> {
  const folders: string[] = [];
  const entries = await opendir(folder).catch((error: unknown) => {
    // The last upload of its day was deleted meanwhile; a root that is missing is no empty one.
    if (folder === root || systemCode(error) !== 'ENOENT') throw error;
    return [];
  });
  for await (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) folders.push(path);
    const uploadId = entry.isFile() ? uploadIdOf(entry.name, extensions) : null;
    if (!uploadId) continue;
    const found = await stat(path).catch(() => null);
    if (found) yield { uploadId, key: relative(root, path), bytes: found.size, modifiedAt: found.mtime };
  }
  for (const path of folders) yield* listObjects(root, extensions, path);
}
