import type { Piece } from './platform.js';

/** Bytes on their way to a socket: read as fast as they are sent. */
export interface NodePiece extends Piece {
  /** Once. @throws ChunkedUploadError when the source cannot be read. */
  bytes(): AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}
