import type { Readable } from 'node:stream';
import type { UploadScope } from '../persistence/upload-table.js';
import type { ChunkWindow } from './chunk-window.js';
import type { Owner, UploadLimits } from './upload-policy.js';

/** Who asks: the caller's view of the uploads, and the request for the app's hooks. */
export interface Caller extends UploadScope {
  readonly request: unknown;
  /** What this request may send. */
  readonly limits: UploadLimits;
}

/** The bytes of one request. */
export interface ChunkBody {
  readonly stream: Readable;
  /** Bytes announced by the message's own framing; null while unknown. */
  readonly length: number | null;
  /** Whether the part that arrived before the connection broke is kept (raw bodies), or dropped (multipart). */
  readonly keepsPrefix: boolean;
  /** Whether nobody else keeps the buffers of `stream`: then they are freed when they are written. */
  readonly isDisposable: boolean;
  /** Settles when the whole message was well-formed to its end; a chunk is not committed before. */
  readonly isWhole: Promise<unknown>;
  /** Called once, when bytes will be read: the place to answer `Expect: 100-continue`. */
  readonly onAccepted?: () => void;
}

/** What a client tells about a file; names and types as sent. */
export interface FileDescription {
  readonly filename: string | undefined;
  /** False while a field behind the bytes may still give another name. */
  readonly isNameFinal: boolean;
  readonly contentType: string | null;
  readonly owner: Owner | null;
}

/** A creating request, as far as it is told before its bytes. */
export interface CreateCommand {
  readonly caller: Caller;
  /** Null: no window was given; the body is the whole file. */
  readonly window: ChunkWindow | null;
  readonly body: ChunkBody;
  readonly description: FileDescription;
  /** What the request tells only behind its bytes (multipart); null when everything is known before. */
  readonly late: (() => Promise<LateDescription>) | null;
  readonly idempotencyKey: string | undefined;
  /** Further columns, from the app itself. @default none */
  readonly columns?: object;
  /** Whether the app itself stores the file: no quota counts it, and its source may pause. @default false */
  readonly isApps?: boolean;
}

/** The description again, complete. */
export interface LateDescription extends FileDescription {
  /** An upload these bytes turn out to be a chunk of. */
  readonly continues: string | null;
}

/** A chunk for an existing upload. */
export interface AppendCommand {
  readonly caller: Caller;
  readonly id: string;
  /** Null: no window was given; the body is the whole file. */
  readonly window: ChunkWindow | null;
  /** Reads up to the first byte; called once, when the upload is known to take the chunk. */
  readonly open: () => Promise<ChunkBody>;
  /**
   * The same bytes, where they need not be looked for and nobody else keeps their buffers: some are gathered while the
   * upload is being claimed.
   */
  readonly stream: Readable | null;
}

/** A completion, with checksums by algorithm as the client sent them. */
export interface CompleteCommand {
  readonly caller: Caller;
  readonly id: string;
  /** Null: none is compared. */
  readonly checksums: ReadonlyMap<string, unknown> | null;
}
