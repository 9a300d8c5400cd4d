/** Where the bytes of a download go. */
export interface DownloadTarget {
  /** Where it ends up, for people; null for standard output. */
  readonly path: string | null;
  /**
   * Opens it for these bytes and hands over what it has of them already.
   * @returns how many bytes that are.
   */
  open(onKept: (bytes: Buffer) => void): Promise<number>;
  write(bytes: Buffer): Promise<void>;
  /** Forgets all bytes; false where they are out already. */
  startOver(): Promise<boolean>;
  /** All bytes are there and right: gives the file its name. @throws TargetError `exists` */
  finish(): Promise<void>;
  /** They are wrong: deletes them. */
  discard(): Promise<void>;
  /** Lets go of it, whatever came of it; bytes that are there stay. May be called twice. */
  close(): Promise<void>;
}

/** The place to write to cannot be used; the message says it all. */
export class TargetError extends Error {
  override readonly name = 'TargetError';

  constructor(
    readonly code: 'exists' | 'stdout_closed',
    message: string,
  ) {
    super(message);
  }
}
