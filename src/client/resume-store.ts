/** An upload that can be gone on with, as a {@link ResumeStore} keeps it. */
export interface StoredUpload {
  /** Fingerprint of file, endpoint and user: see `uploadKey`. */
  readonly key: string;
  /** Absolute address of the upload on the server. */
  readonly url: string;
  /** Absolute address it was created at. */
  readonly endpoint: string;
  /** Whose entry it is; null where the page or program does not tell users apart. */
  readonly userId: string | null;
  readonly filename: string;
  /** Bytes; null for a stream of unknown length. */
  readonly size: number | null;
  /** Modification time of the file, in ms since 1970; null when it has none. */
  readonly lastModified: number | null;
  /** When it was created, in ms since 1970. */
  readonly createdAt: number;
}

/**
 * Remembers unfinished uploads, so that they go on after the page was closed or the process killed. The client forgets an
 * entry when its upload is complete, cancelled or gone. A store that rejects costs only that: the upload goes on without.
 */
export interface ResumeStore {
  get(key: string): Promise<StoredUpload | null>;
  set(key: string, upload: StoredUpload): Promise<void>;
  /** Deleting what is not there is no error. */
  delete(key: string): Promise<void>;
  /** Entries of one user (null: those of nobody in particular), oldest first. */
  list(userId: string | null): Promise<StoredUpload[]>;
}
