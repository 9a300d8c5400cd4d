import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { sortedFor } from './memory.store.js';
import type { ResumeStore, StoredUpload } from './resume-store.js';

const SUFFIX = '.json';
/** An entry that is being written: the process that writes it, and a name of its own. */
const DRAFT = /\.json\.(\d+)-[0-9a-f-]{36}$/;

/** Remembers uploads in a folder, one file each, readable by its owner only. Several processes may use it at once. */
export class FileStore implements ResumeStore {
  /** @param folder made when it is needed. @default `$XDG_CACHE_HOME/nestjs-chunked-upload`, `~/.cache/nestjs-chunked-upload` */
  constructor(private readonly folder = defaultFolder()) {}

  async get(key: string): Promise<StoredUpload | null> {
    const text = await readFile(this.path(key), 'utf8').catch(() => null);
    return text === null ? null : entryIn(text);
  }

  /** Whole or not at all: the process may be killed meanwhile. */
  async set(key: string, upload: StoredUpload): Promise<void> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    const path = this.path(key);
    const draft = `${path}.${process.pid}-${randomUUID()}`;
    await writeFile(draft, JSON.stringify(upload), { mode: 0o600, flush: true });
    await rename(draft, path);
  }

  async delete(key: string): Promise<void> {
    await rm(this.path(key), { force: true });
    await this.removeLeftDrafts();
  }

  async list(userId: string | null): Promise<StoredUpload[]> {
    const names = await readdir(this.folder).catch(() => []);
    const keys = names.filter((name) => name.endsWith(SUFFIX)).map((name) => name.slice(0, -SUFFIX.length));
    const entries = await Promise.all(keys.map((key) => this.get(key)));
    return sortedFor(
      userId,
      entries.filter((entry) => entry !== null),
    );
  }

  /** What processes that were killed had begun to write. */
  private async removeLeftDrafts(): Promise<void> {
    const names = await readdir(this.folder).catch(() => []);
    const left = names.filter((name) => isGone(Number(DRAFT.exec(name)?.[1])));
    await Promise.all(left.map((name) => rm(join(this.folder, name), { force: true })));
  }

  /** Keys are digests in hex; whatever else somebody takes for one stays within the folder. */
  private path(key: string): string {
    return join(this.folder, `${encodeURIComponent(key)}${SUFFIX}`);
  }
}

/** Where the programs of this package keep what they remember between two runs. */
export function defaultFolder(): string {
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  return join(cache, 'nestjs-chunked-upload');
}

/** Whether there is no such process; false for what is no process id. */
function isGone(pid: number): boolean {
  try {
    return Number.isInteger(pid) && !process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

/** Null for a file that is none of ours. */
function entryIn(text: string): StoredUpload | null {
  try {
    const entry = JSON.parse(text) as StoredUpload | null;
    return typeof entry?.url === 'string' ? entry : null;
  } catch {
    return null;
  }
}
