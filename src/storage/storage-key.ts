import type { StoredUpload } from './storage-driver.interface.js';

/**
 * Every key and file name in the store is made here, from ids and dates, never from a client's string:
 *
 *     <root>/
 *       .volume                              which storage this is (local driver)
 *       2026/11/21/<id>.part                 being received
 *       2026/11/21/<id>.<generation>.part    the same, after a lease ran out unreleased
 *       2026/11/21/<id>.done                 complete
 */
export function storageKeyFor(id: string, createdAt: Date): string {
  const [year, month, day] = createdAt.toISOString().slice(0, 10).split('-');
  return `${year}/${month}/${day}/${id}`;
}

/** Key of the file that a generation of an unfinished upload is received in. */
export function partKey({ storageKey }: StoredUpload, generation: number): string {
  return generation === 0 ? `${storageKey}.part` : `${storageKey}.${generation}.part`;
}

/** Key of a completed upload. */
export function finalKey({ storageKey }: StoredUpload): string {
  return `${storageKey}.done`;
}

const FILE_NAME = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:\.\d+)?\.(?:part|done)$/;

/** The upload that a file of these names belongs to; null for any other file. */
export function uploadIdOf(fileName: string): string | null {
  return FILE_NAME.exec(fileName)?.[1] ?? null;
}
