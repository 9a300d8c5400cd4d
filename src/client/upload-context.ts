import type { OpenSource, Piece, Platform } from './platform.js';
import type { ResolvedOptions } from './resolve-options.js';
import type { Turns } from './turns.js';
import type { UploadStatus } from './upload-status.js';
import type { Wire } from './wire.js';

/** What everything that works on one upload has in common. */
export interface UploadContext<Part extends Piece> {
  readonly platform: Platform<never, Part>;
  readonly options: ResolvedOptions;
  readonly wire: Wire<Part>;
  readonly turns: Turns;
  readonly status: UploadStatus;
  /** Opens the source. @throws ChunkedUploadError `source_unreadable`. */
  readonly open: () => Promise<OpenSource<Part>>;
}
