import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { UploadError } from '../../src/errors/upload-error.js';
import type {
  ByteRange,
  OpenCommit,
  StorageDriver,
  StorageState,
  StorageWriter,
  StoredUpload,
} from '../../src/storage/storage-driver.interface.js';

/** A file as the kernel has it: it lives on in open handles when its name is gone. */
class Inode {
  bytes: Buffer = Buffer.alloc(0);

  writeAt(position: number, bytes: Buffer): void {
    const length = Math.max(this.bytes.length, position + bytes.length);
    const grown = Buffer.alloc(length);
    this.bytes.copy(grown);
    bytes.copy(grown, position);
    this.bytes = grown;
  }

  truncate(length: number): void {
    this.bytes = Buffer.from(this.bytes.subarray(0, length));
  }
}

/** A folder in memory, shared by the drivers of several processes. */
export class MemoryDisk {
  readonly files = new Map<string, Inode>();
  readonly volume = randomUUID();
  isAway = false;
}

/** Runs before every "system call": tests wait here, schedule, or never come back (a crash). */
export type Step = (call: string) => Promise<void>;

/** `LocalStorage`, system call for system call, without a disk: fast, and every await in between is the test's. */
export class MemoryDriver implements StorageDriver {
  readonly capabilities = { minChunkBytes: 0 };

  constructor(
    readonly disk: MemoryDisk,
    private readonly step: Step = () => Promise.resolve(),
  ) {}

  async check(): Promise<void> {
    await this.step('check');
    this.requireVolume(this.disk.volume);
  }

  async append(upload: StoredUpload, offset: number): Promise<StorageWriter> {
    this.requireVolume(upload.storageState?.volume ?? this.disk.volume);
    return this.open(upload, offset);
  }

  async size(upload: StoredUpload): Promise<number | null> {
    await this.step('size');
    return this.whereabouts(upload)?.bytes.length ?? null;
  }

  read(upload: StoredUpload, { start, end }: ByteRange): Readable {
    return Readable.from(this.pieces(upload, { start, end }));
  }

  async finish(upload: StoredUpload, size: number): Promise<StorageState> {
    await this.step('stat');
    if (!this.isSealed(upload, size)) {
      await this.seal(upload, size).catch(async (error: unknown) => {
        await this.step('stat');
        if (!this.isSealed(upload, size)) throw error;
      });
    }
    await this.dropParts(upload);
    return { volume: this.disk.volume, generation: upload.generation, finished: true };
  }

  async discard(upload: StoredUpload): Promise<void> {
    this.requireVolume(upload.storageState?.volume ?? this.disk.volume);
    await this.dropParts(upload);
    await this.step('unlink');
    this.disk.files.delete(finalName(upload));
  }

  private async *pieces(upload: StoredUpload, { start, end }: ByteRange): AsyncGenerator<Buffer> {
    if (end <= start) return;
    await this.step('read');
    const file = this.whereabouts(upload);
    if (!file) this.requireVolume(upload.storageState?.volume);
    if (!file || file.bytes.length < end) throw bytesLost();
    yield Buffer.from(file.bytes.subarray(start, end));
  }

  private isSealed(upload: StoredUpload, size: number): boolean {
    const { files } = this.disk;
    const part = partName(upload, committedGeneration(upload) ?? upload.generation);
    return files.get(finalName(upload))?.bytes.length === size && !files.has(part);
  }

  private async open(upload: StoredUpload, offset: number): Promise<MemoryWriter> {
    const { files } = this.disk;
    const name = partName(upload, upload.generation);
    const committed = committedGeneration(upload);
    const isFork = committed !== upload.generation;
    const replaces = committed !== null && isFork ? partName(upload, committed) : null;
    const isCopied = offset > 0 && (isFork || !files.has(name));
    if (isCopied) await this.fork(upload, name, offset);
    const isNew = isFork || isCopied || offset === 0;
    await this.step('open');
    // As O_TRUNC does, on the same inode.
    if (offset === 0) files.set(name, files.get(name) ?? new Inode());
    const file = files.get(name);
    if (!file || file.bytes.length < offset) {
      this.requireVolume(upload.storageState?.volume);
      throw bytesLost();
    }
    if (file.bytes.length > offset) file.truncate(offset);
    const state = { volume: this.disk.volume, generation: upload.generation };
    return new MemoryWriter(this.disk, this.step, { name, file, offset, isNew, replaces, state });
  }

  private async fork(upload: StoredUpload, to: string, length: number): Promise<void> {
    await this.step('copy');
    const source = this.whereabouts(upload);
    if (!source || source.bytes.length < length) throw bytesLost();
    const copy = new Inode();
    copy.writeAt(0, source.bytes);
    this.disk.files.set(to, copy);
  }

  private async seal(upload: StoredUpload, size: number): Promise<void> {
    this.requireVolume(upload.storageState?.volume ?? this.disk.volume);
    const writer = await this.open(upload, size);
    await writer.commit();
    await this.step('rename');
    const { name, file } = writer.target;
    if (this.disk.files.get(name) !== file) throw unavailable();
    this.disk.files.delete(name);
    this.disk.files.set(finalName(upload), file);
  }

  private async dropParts(upload: StoredUpload): Promise<void> {
    for (let generation = 0; generation <= upload.generation; generation++) {
      await this.step('unlink');
      this.disk.files.delete(partName(upload, generation));
    }
  }

  private whereabouts(upload: StoredUpload): Inode | undefined {
    const { files } = this.disk;
    const final = files.get(finalName(upload));
    if (upload.storageState?.finished) return final;
    return files.get(partName(upload, committedGeneration(upload) ?? upload.generation)) ?? final;
  }

  private requireVolume(id: unknown): void {
    if (this.disk.isAway || id !== this.disk.volume) throw unavailable();
  }
}

interface Target {
  readonly name: string;
  readonly file: Inode;
  readonly offset: number;
  readonly isNew: boolean;
  readonly replaces: string | null;
  readonly state: StorageState;
}

class MemoryWriter implements StorageWriter {
  private position: number;
  private isClosed = false;
  private isTouched = false;

  constructor(
    private readonly disk: MemoryDisk,
    private readonly step: Step,
    readonly target: Target,
  ) {
    this.position = target.offset;
  }

  async write(buffers: readonly Buffer[]): Promise<void> {
    await this.step('write');
    this.isTouched = true;
    const bytes = Buffer.concat(buffers);
    this.target.file.writeAt(this.position, bytes);
    this.position += bytes.length;
  }

  async commit(): Promise<StorageState> {
    await this.step('sync');
    this.isClosed = true;
    return this.target.state;
  }

  async commitOpen(): Promise<OpenCommit> {
    const state = await this.commit();
    const target = { ...this.target, offset: this.position, isNew: false, replaces: null };
    return { state, next: new MemoryWriter(this.disk, this.step, target) };
  }

  async published(): Promise<void> {
    const { replaces } = this.target;
    if (!replaces) return;
    await this.step('unlink');
    this.disk.files.delete(replaces);
  }

  async abort(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    const { name, file, offset, isNew } = this.target;
    await this.step('truncate');
    if (this.isTouched) file.truncate(offset);
    if (!isNew) return;
    await this.step('unlink');
    this.disk.files.delete(name);
  }
}

function partName({ storageKey }: StoredUpload, generation: number): string {
  return `${storageKey}.${generation}.part`;
}

function finalName({ storageKey }: StoredUpload): string {
  return `${storageKey}.done`;
}

function committedGeneration({ storageState }: StoredUpload): number | null {
  return typeof storageState?.generation === 'number' ? storageState.generation : null;
}

function bytesLost(): UploadError {
  return new UploadError('failed', 'Bytes were lost.');
}

function unavailable(): UploadError {
  return new UploadError('storage_unavailable', 'The storage is away.');
}
