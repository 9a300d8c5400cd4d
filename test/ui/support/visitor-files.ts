import { randomBytes } from 'node:crypto';
import { mkdtemp, open, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const MB = 1_000_000;

/** Files on the visitor's disk, made for one suite. */
export class VisitorFiles {
  private constructor(private readonly folder: string) {}

  static async create(): Promise<VisitorFiles> {
    return new VisitorFiles(await mkdtemp(join(tmpdir(), 'visitor-')));
  }

  /** @returns its path. */
  async make(name: string, megabytes: number): Promise<string> {
    const path = join(this.folder, name);
    const file = await open(path, 'w');
    for (let written = 0; written < megabytes; written += 10) {
      await file.write(randomBytes(Math.min(10, megabytes - written) * MB));
    }
    await file.close();
    return path;
  }

  /** Of exactly these bytes. */
  async write(name: string, bytes: string): Promise<string> {
    const path = join(this.folder, name);
    await writeFile(path, bytes);
    return path;
  }

  /** Of this size, all zeros, without room on the disk. */
  async sparse(name: string, bytes: number): Promise<string> {
    const path = await this.write(name, '');
    await truncate(path, bytes);
    return path;
  }

  /** Where a file or folder may be made. */
  path(name: string): string {
    return join(this.folder, name);
  }

  remove(): Promise<void> {
    return rm(this.folder, { recursive: true, force: true });
  }
}
