/** Where a chunk's bytes belong: `[start, end)` of a file of `total` bytes. */
export interface ChunkWindow {
  /** First byte, counted from 0. */
  readonly start: number;
  /** One past the last byte. */
  readonly end: number;
  /** Declared size of the whole file; null while unknown. */
  readonly total: number | null;
}

/** Bytes the window spans. */
export function lengthOf({ start, end }: ChunkWindow): number {
  return end - start;
}
