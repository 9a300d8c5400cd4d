import { createHash } from 'node:crypto';
import { appendFile, mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { LocalFile } from './local-files.js';

const KEPT_MS = 7 * 24 * 60 * 60 * 1000;
const NAME = /^put-[0-9a-f]{32}\.ndjson$/;

/** A file that a command has uploaded already. */
export interface DoneFile {
  readonly path: string;
  readonly sizeBytes: number;
  readonly modifiedAt: number;
  readonly id: string;
  readonly url: string;
}

/**
 * Files that a command has uploaded before it was stopped, so that the same command goes on behind them. It is deleted
 * when the command has done everything, and forgotten after a week.
 */
export class PutJournal {
  private constructor(
    private readonly path: string,
    private readonly done: ReadonlyMap<string, DoneFile>,
  ) {}

  /**
   * Opens the journal of a command; without one there, nothing is written before the first file is done.
   * @param facts what makes it the same command, besides the folder it is run in.
   */
  static async open(folder: string, facts: readonly unknown[]): Promise<PutJournal> {
    const identity = JSON.stringify([process.cwd(), ...facts]);
    const digest = createHash('sha256').update(identity).digest('hex').slice(0, 32);
    const path = join(folder, `put-${digest}.ndjson`);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await forgetOld(folder);
    const text = await readFile(path, 'utf8').catch(() => '');
    return new PutJournal(path, new Map(text.split('\n').flatMap(entryIn)));
  }

  /** What became of this file in an earlier run; undefined when it was not done, or is another by now. */
  find(file: LocalFile): DoneFile | undefined {
    const done = this.done.get(resolve(file.path));
    return done?.sizeBytes === file.sizeBytes && done.modifiedAt === file.modifiedAt ? done : undefined;
  }

  /** Notes a file that is done. Lines are short and written at once: processes at the same time do not tear them. */
  async add(
    { path, sizeBytes, modifiedAt }: LocalFile,
    { id, url }: Pick<DoneFile, 'id' | 'url'>,
  ): Promise<void> {
    const entry: DoneFile = { path: resolve(path), sizeBytes, modifiedAt, id, url };
    await appendFile(this.path, `${JSON.stringify(entry)}\n`, { mode: 0o600 });
  }

  /** The command has done everything; the next one like it begins anew. */
  async remove(): Promise<void> {
    await rm(this.path, { force: true });
  }
}

async function forgetOld(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    if (NAME.test(name) && (await stat(path)).mtimeMs < Date.now() - KEPT_MS) await rm(path, { force: true });
  }
}

/** The last line may be torn by a crash. */
function entryIn(line: string): [path: string, entry: DoneFile][] {
  try {
    const entry = JSON.parse(line) as DoneFile;
    return [[entry.path, entry]];
  } catch {
    return [];
  }
}
