import type { Readable } from 'node:stream';

/** What a driver remembers of an upload between requests; stored with the offset, in the same commit. */
export type StorageState = Readonly<Record<string, string | number | boolean | null>>;

/** An upload as its bytes know it. */
export interface StoredUpload {
  readonly id: string;
  /** Made by the engine from the id and a policy, never from a client's string. */
  readonly storageKey: string;
  /** Changes when a lease ran out unreleased: the old holder may still be writing to the old generation. */
  readonly generation: number;
  /** The state of the last commit; null before the first. */
  readonly storageState: StorageState | null;
}

/** A part of an upload's bytes: `[start, end)`. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** One chunk on its way into storage. Ends with `commit` or `commitOpen` (then perhaps `published`), or with `abort`. */
export interface StorageWriter {
  /**
   * Appends every byte of `buffers`, looping over short writes. When it is done the engine frees the buffers: copy what is
   * needed longer.
   * @throws UploadError `no_space`, `storage_unavailable`; the writer can then only be aborted.
   */
  write(buffers: readonly Buffer[]): Promise<void>;
  /**
   * Called after writes that are to be durable: what is written may be made so beside the next ones, so that `commit` has
   * less left. Nobody waits for it; a failure comes out of `commit`. Leave it out where nothing is gained.
   */
  syncAhead?(): void;
  /**
   * Closes, after making everything written durable if asked to. A failed sync is never tried again: the kernel
   * may have dropped the pages it could not write (fsyncgate), so a second success would prove nothing.
   */
  commit(durable: boolean): Promise<StorageState>;
  /**
   * The same without closing: `next` writes the chunk that follows this one, and ends as every writer does; with
   * `commit(false)` when none came. Until its first `write`, `next` changes nothing: others may have gone on with the
   * upload meanwhile. Leave it out where a writer costs nothing to open.
   */
  commitOpen?(durable: boolean): Promise<OpenCommit>;
  /** Drops what a fork replaced, once the state returned by `commit` or `commitOpen` is the row's. Never fails. */
  published(): Promise<void>;
  /**
   * Cuts off what this writer wrote and closes; nothing, after `commit` or `commitOpen`. Repeatable.
   * @throws UploadError `failed`, and nothing else: closing told that bytes acknowledged without a sync are lost.
   */
  abort(): Promise<void>;
}

/** What {@link StorageWriter.commitOpen} leaves. */
export interface OpenCommit {
  readonly state: StorageState;
  readonly next: StorageWriter;
}

/** What drivers differ in, as data. */
export interface StorageCapabilities {
  /** Smallest chunk the store takes, except for the last one of an upload; 0 for any. */
  readonly minChunkBytes: number;
}

/**
 * Where bytes go. A driver knows uploads, keys and offsets; it holds no rule and never sees a request or a row.
 * Every driver passes the contract suite in `nestjs-chunked-upload/testing`.
 */
export interface StorageDriver {
  readonly capabilities: StorageCapabilities;
  /** @throws UploadError `storage_unavailable` when bytes could not be written now. */
  check(): Promise<void>;
  /**
   * Opens a writer at `offset`, first dropping whatever an unfinished writer left behind it. When the generation
   * is not the committed one, the acknowledged prefix is forked into a file of its own, so that a paused holder of
   * the old lease writes into bytes nobody reads.
   * @throws UploadError `failed` when fewer than `offset` bytes are there: the storage lost data.
   */
  append(upload: StoredUpload, offset: number): Promise<StorageWriter>;
  /** Bytes stored of the upload, torn tail included; null when there are none. */
  size(upload: StoredUpload): Promise<number | null>;
  /** Streams the committed bytes of `range`. Errors with `failed` when they are not there. */
  read(upload: StoredUpload, range: ByteRange): Readable;
  /**
   * Moves exactly `size` bytes to their final key, durably. Repeatable: after a crash the second call finds the
   * work done and returns the same state.
   * @throws UploadError `failed` when fewer than `size` bytes are there.
   */
  finish(upload: StoredUpload, size: number): Promise<StorageState>;
  /** Deletes every byte of every generation. Missing is success; repeatable. */
  discard(upload: StoredUpload): Promise<void>;
}
