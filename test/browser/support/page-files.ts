import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { noise } from '../../support/http.js';

/** A file a page is given. */
export interface PageFile {
  readonly path: string;
  readonly name: string;
  readonly bytes: Buffer;
}

export const MB = 1_000_000;

/** What is on the visitor's disk. */
export interface PageFiles {
  readonly small: PageFile;
  /** A browser sends it as application/json, which apps parse. */
  readonly json: PageFile;
  readonly empty: PageFile;
  /** Five chunks of 2 MB. */
  readonly medium: PageFile;
  readonly large: PageFile;
  remove(): Promise<void>;
}

export async function createPageFiles(): Promise<PageFiles> {
  const folder = await mkdtemp(join(tmpdir(), 'browser-files-'));
  const file = async (name: string, size: number): Promise<PageFile> => {
    const [path, bytes] = [join(folder, name), noise(size)];
    await writeFile(path, bytes);
    return { path, name, bytes };
  };
  return {
    small: await file('Käse & "Brot" 100%.txt', 20_000),
    json: await file('other.json', 30_000),
    empty: await file('empty.bin', 0),
    medium: await file('medium.bin', 10 * MB),
    large: await file('large.mp4', 60 * MB),
    remove: () => rm(folder, { recursive: true }),
  };
}
