import { mkdir, stat } from 'node:fs/promises';
import path from 'node:path';

/**
 * Makes a folder and those above it, where they are missing. Node's own `recursive` reports a read-only disk as
 * ENOENT, and never returns where the system makes no folders, such as below `/proc`.
 */
export async function makeDirectory(directory: string, mode = 0o777): Promise<void> {
  const failure = await tryMake(directory, mode);
  if (failure === null) return;
  if (failure.code !== 'ENOENT' || path.dirname(directory) === directory) throw failure;
  await makeDirectory(path.dirname(directory));
  const again = await tryMake(directory, mode);
  if (again) throw again;
}

async function tryMake(directory: string, mode: number): Promise<NodeJS.ErrnoException | null> {
  try {
    await mkdir(directory, { mode });
    return null;
  } catch (error) {
    const found = await stat(directory).catch(() => null);
    return found?.isDirectory() ? null : (error as NodeJS.ErrnoException);
  }
}
