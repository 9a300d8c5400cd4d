import { randomUUID } from 'node:crypto';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { UploadError } from '../../errors/upload-error.js';
import { syncFolder } from './durable-file.js';
import { systemCode } from '../../errors/system-code.js';
import { storageFailure } from './storage-failure.js';

const MARKER = '.volume';

/**
 * The folder that bytes are in, with an id of its own in it. A row remembers the id, so that an instance that sees
 * another disk (a volume not mounted, a path mistyped) answers "unavailable" instead of "lost".
 */
export class LocalVolume {
  readonly root: string;
  private known: Promise<string> | undefined;

  constructor(root: string) {
    this.root = resolve(root);
  }

  /** The volume's id; on first use the folder is created and marked where it is new. */
  id(): Promise<string> {
    this.known ??= this.open().catch((error: unknown) => {
      this.known = undefined;
      throw storageFailure(error);
    });
    return this.known;
  }

  /** @throws UploadError `storage_unavailable` when the folder is not there, not this volume or not writable. */
  async check(): Promise<void> {
    await this.verify(await this.id());
    const probe = join(this.root, `.probe-${randomUUID()}`);
    try {
      await writeFile(probe, 'probe', { flag: 'wx', mode: 0o600 });
    } catch (error) {
      throw storageFailure(error);
    } finally {
      await rm(probe, { force: true }).catch(() => undefined);
    }
  }

  /** @throws UploadError `storage_unavailable` when the folder does not hold volume `id`. */
  async verify(id: unknown): Promise<void> {
    const found = await this.read().catch((error: unknown) => {
      throw storageFailure(error);
    });
    if (found === id) return;
    throw new UploadError(
      'storage_unavailable',
      'The storage of this upload is not mounted here. Try again later.',
      {
        cause: new Error(`${this.root} holds volume ${found}, wanted ${String(id)}`),
        retryAfter: 10,
      },
    );
  }

  private async open(): Promise<string> {
    await mkdir(this.root, { recursive: true, mode: 0o700 });
    await syncFolder(dirname(this.root));
    // Under its name only when it is whole: another process may be reading it at this moment.
    const marker = join(this.root, `${MARKER}-${randomUUID()}`);
    try {
      await writeFile(marker, `${randomUUID()}\n`, { flag: 'wx', mode: 0o600, flush: true });
      await link(marker, join(this.root, MARKER));
      await syncFolder(this.root);
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw error;
    } finally {
      await rm(marker, { force: true });
    }
    return this.read();
  }

  private async read(): Promise<string> {
    const id = (await readFile(join(this.root, MARKER), 'utf8')).trim();
    if (id === '') throw new Error(`${join(this.root, MARKER)} is empty`);
    return id;
  }
}
