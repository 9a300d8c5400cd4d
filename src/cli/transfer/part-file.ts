import { createHash } from 'node:crypto';
import { access, type FileHandle, link, open, rename, rm } from 'node:fs/promises';
import { systemCode } from '../../errors/system-code.js';
import { type DownloadTarget, TargetError } from './download-target.js';
import type { RemoteFile } from './remote-file.js';

const READ_BYTES = 1024 * 1024;

/** File systems that know no hard links. */
const NO_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);

/**
 * A file that is `<name>.<of which bytes>.part` until all of it is there and right. That name says what the bytes are
 * part of, so that they are never continued with those of another file.
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
    if (!this.isForced && (await exists(this.path))) throw alreadyThere(this.path);
    this.file = await open(this.partPath, 'a+');
    const { size } = await this.file.stat();
    // Without a strong name nobody knows what these bytes are part of.
    if (!this.remote.etag || size > (this.remote.sizeBytes ?? Infinity)) await this.startOver();
    else await this.read(onKept);
    return this.length;
  }

  async write(bytes: Buffer): Promise<void> {
    for (let written = 0; written < bytes.length;) {
      const { bytesWritten } = await this.opened.write(bytes, written);
      written += bytesWritten;
    }
    this.length += bytes.length;
  }

  async startOver(): Promise<boolean> {
    await this.opened.truncate(0);
    this.length = 0;
    return true;
  }

  async finish(): Promise<void> {
    // What has its name has its bytes, after a power cut too.
    await this.opened.sync();
    this.isFinished = true;
    await this.close();
    if (this.isForced) await rename(this.partPath, this.path);
    else await renameToNew(this.partPath, this.path);
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

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** A link refuses an existing name in one step, where a rename would replace it. */
async function renameToNew(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
    await rm(from);
  } catch (error) {
    const code = systemCode(error) ?? '';
    if (code === 'EEXIST' || (await exists(to))) throw alreadyThere(to);
    if (!NO_LINKS.has(code)) throw error;
    await rename(from, to);
  }
}

function alreadyThere(path: string): TargetError {
  return new TargetError(
    'exists',
    `${path} is there already. Add --force to replace it, or choose a name with -o.`,
  );
}
