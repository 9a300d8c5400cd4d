import { PassThrough, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type {
  ByteRange,
  OpenCommit,
  StorageCapabilities,
  StorageDriver,
  StorageState,
  StorageWriter,
  StoredUpload,
} from '../storage/storage-driver.interface.js';
import { FaultSwitch } from './fault-switch.js';

/** The calls that can fail: those of the driver, and those of its writers. */
export const STORAGE_CALLS = [
  'check',
  'append',
  'write',
  'commit',
  'published',
  'abort',
  'size',
  'read',
  'finish',
  'discard',
] as const;

export type StorageCall = (typeof STORAGE_CALLS)[number];

/** How a call fails. */
export type FaultKind =
  /** It does nothing and fails. */
  | 'before'
  /** It does its work, and then fails: the answer was lost. */
  | 'after'
  /** A `write` writes a part and fails as a full disk does; of other calls, as `before`. */
  | 'short'
  /** It neither works nor answers, until {@link FaultInjectingDriver.letGo}. */
  | 'hang';

/** Which call fails, and how. */
export interface StorageFault {
  readonly kind: FaultKind;
  /** The how manieth call, counted from 1 since the fault was set; among those of `calls`. */
  readonly at: number;
  /** @default all */
  readonly calls?: readonly StorageCall[];
  /** The error. @default `storage_unavailable`, for `short` `no_space` */
  readonly error?: () => Error;
}

/**
 * A driver that works, but for one call: put it around your driver to see what your app does when storage fails.
 * `abort` and `published` promise never to fail; there, a fault leaves out what they do, as a crash would.
 *
 * @example
 * const storage = new FaultInjectingDriver(new LocalStorage({ root }));
 * storage.fail({ kind: 'before', at: 1, calls: ['commit'] });
 */
export class FaultInjectingDriver implements StorageDriver {
  readonly capabilities: StorageCapabilities;
  private readonly faults = new FaultSwitch();

  constructor(private readonly inner: StorageDriver) {
    this.capabilities = inner.capabilities;
  }

  /** Calls so far, in order. */
  get calls(): readonly StorageCall[] {
    return this.faults.calls;
  }

  /** Whether the fault that was set has struck. */
  get hasFailed(): boolean {
    return this.faults.hasFailed;
  }

  /** Sets the one fault; it strikes once. Forgets the calls so far. */
  fail(fault: StorageFault): void {
    this.faults.set(fault);
  }

  /** Takes the fault away, and fails what hangs. */
  letGo(): void {
    this.faults.clear();
  }

  check(): Promise<void> {
    return this.faults.run('check', () => this.inner.check());
  }

  async append(upload: StoredUpload, offset: number): Promise<StorageWriter> {
    let opened: StorageWriter | undefined;
    try {
      await this.faults.run('append', async () => (opened = await this.inner.append(upload, offset)));
      return new FaultInjectingWriter(opened as StorageWriter, this.faults);
    } catch (error) {
      // Nobody was handed the writer, so nobody can close it.
      await opened?.abort();
      throw error;
    }
  }

  size(upload: StoredUpload): Promise<number | null> {
    return this.faults.run('size', () => this.inner.size(upload));
  }

  read(upload: StoredUpload, range: ByteRange): Readable {
    const out = new PassThrough();
    const transfer = () => pipeline(this.inner.read(upload, range), out, { end: false });
    this.faults.run('read', transfer).then(
      () => out.end(),
      (error: Error) => out.destroy(error),
    );
    return out;
  }

  finish(upload: StoredUpload, size: number): Promise<StorageState> {
    return this.faults.run('finish', () => this.inner.finish(upload, size));
  }

  discard(upload: StoredUpload): Promise<void> {
    return this.faults.run('discard', () => this.inner.discard(upload));
  }
}

class FaultInjectingWriter implements StorageWriter {
  readonly commitOpen: StorageWriter['commitOpen'];

  constructor(
    private readonly inner: StorageWriter,
    private readonly faults: FaultSwitch,
  ) {
    if (inner.commitOpen) this.commitOpen = (durable) => this.commitStayingOpen(durable);
  }

  syncAhead(): void {
    this.inner.syncAhead?.();
  }

  write(buffers: readonly Buffer[]): Promise<void> {
    return this.faults.run(
      'write',
      () => this.inner.write(buffers),
      () => this.inner.write(halfOf(buffers)),
    );
  }

  commit(durable: boolean): Promise<StorageState> {
    return this.faults.run('commit', () => this.inner.commit(durable));
  }

  /** A commit like the other one to whoever sets a fault. */
  private async commitStayingOpen(durable: boolean): Promise<OpenCommit> {
    let left: OpenCommit | undefined;
    try {
      await this.faults.run('commit', async () => (left = await this.inner.commitOpen?.(durable)));
      const { state, next } = left as OpenCommit;
      return { state, next: new FaultInjectingWriter(next, this.faults) };
    } catch (error) {
      await left?.next.abort();
      throw error;
    }
  }

  published(): Promise<void> {
    return this.faults.run('published', () => this.inner.published()).catch(() => undefined);
  }

  async abort(): Promise<void> {
    await this.faults.run('abort', () => this.inner.abort()).catch(() => undefined);
  }
}

function halfOf(buffers: readonly Buffer[]): Buffer[] {
  const whole = Buffer.concat(buffers);
  return [whole.subarray(0, whole.length >> 1)];
}
