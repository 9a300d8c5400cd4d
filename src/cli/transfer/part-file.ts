import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, link, open, rename, rm, stat } from 'node:fs/promises';
import { systemCode } from '../../errors/system-code.js';
import { type DownloadTarget, TargetError } from './download-target.js';
import type { RemoteFile } from './remote-file.js';

const READ_BYTES = 1024 * 1024;

/** File systems that know no hard links. */
const NO_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);

/**
 * A file that is `<name>.<of which bytes>.part` until all of it is there and right. That name says what the bytes are
 * part of, so that they are never continued with those of another file. Each byte is written at its own place and nothing
 * is cut off before the end: several commands that fetch the same file at once write the same.
 */
export class PartFile implements DownloadTarget {
  /** Where the bytes are meanwhile. */
  readonly partPath: string;
  private file: FileHandle | null = null;
  private length = 0;
  private isFinished = false;

  /** @param isForced An existing file may be replaced. */
  constructor(
    readonly path: string,
    private readonly remote: RemoteFile,
    private readonly isForced: boolean,
  ) {
    const identity = `${remote.contentUrl.href}\n${remote.etag}`;
    this.partPath = `${path}.${createHash('sha256').update(identity).digest('hex').slice(0, 8)}.part`;
  }

  async open(onKept: (bytes: Buffer) => void): Promise<number> {
    await this.checkPlace();
    this.file = await open(this.partPath, constants.O_RDWR | constants.O_CREAT);
    const { size } = await this.file.stat();
    // Without a strong name nobody knows what these bytes are part of.
    if (this.remote.etag && size <= (this.remote.sizeBytes ?? Infinity)) await this.read(onKept);
    return this.length;
  }

  async write(bytes: Buffer): Promise<void> {
    for (let written = 0; written < bytes.length;) {
      const left = bytes.length - written;
      const { bytesWritten } = await this.opened.write(bytes, written, left, this.length + written);
      written += bytesWritten;
    }
    this.length += bytes.length;
  }

  startOver(): Promise<boolean> {
    this.length = 0;
    return Promise.resolve(true);
  }

  async finish(): Promise<void> {
    await this.opened.truncate(this.length);
    // What has its name has its bytes, after a power cut too.
    await this.opened.sync();
    await this.opened.close();
    this.file = null;
    if (this.isForced) await rename(this.partPath, this.path);
    else await renameToNew(this.partPath, this.path);
    this.isFinished = true;
  }

  async discard(): Promise<void> {
    this.length = 0;
    await this.close();
  }

  async close(): Promise<void> {
    const { file } = this;
    this.file = null;
    await file?.close();
    // Nothing could be gone on with.
    if (file && this.keptBytes === 0 && !this.isFinished) await rm(this.partPath, { force: true });
  }

  /** Bytes that a later run can go on from. */
  get keptBytes(): number {
    return this.remote.etag && !this.isFinished ? this.length : 0;
  }

  private get opened(): FileHandle {
    if (!this.file) throw new Error(`${this.partPath} is not open.`);
    return this.file;
  }

  /** Before anything is fetched. What is no plain file, such as /dev/null, is never replaced. */
  private async checkPlace(): Promise<void> {
    const there = await stat(this.path).catch(() => null);
    if (there && !there.isFile()) {
      const message = `${this.path} is no plain file, so it is not replaced. Say -o - and redirect that.`;
      throw new TargetError('exists', message);
    }
    if (there && !this.isForced) throw alreadyThere(this.path);
  }

  private async read(onBytes: (bytes: Buffer) => void): Promise<void> {
    const buffer = Buffer.allocUnsafe(READ_BYTES);
    for (;;) {
      const { bytesRead } = await this.opened.read(buffer, 0, READ_BYTES, this.length);
      if (bytesRead === 0) return;
      onBytes(buffer.subarray(0, bytesRead));
      this.length += bytesRead;
    }
  }
}

/** A link refuses an existing name in one step, where a rename would replace it. */
async function renameToNew(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
    await rm(from);
  } catch (error) {
    const code = systemCode(error) ?? '';
    if (code === 'EEXIST' || (await isThere(to))) throw alreadyThere(to);
    if (!NO_LINKS.has(code)) throw error;
    await rename(from, to);
  }
}

function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

function alreadyThere(path: string): TargetError {
  return new TargetError(
    'exists',
    `${path} is there already. Add --force to replace it, or choose a name with -o.`,
  );
}
