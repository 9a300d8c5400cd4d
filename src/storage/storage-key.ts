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
export function storageKeyFor(upload: NewObject, folder: StorageFolder = DEFAULT_FOLDER): string {
  const path =
    typeof folder === 'function' ? checked(folder(upload)) : expandFolder(folder, upload.createdAt);
  return path === '' ? upload.id : `${path}/${upload.id}`;
}

/** What is known of an upload when its place is chosen. */
export interface NewObject {
  readonly id: string;
  readonly createdAt: Date;
  readonly userId: string | null;
}

/** Folder of an upload's bytes: a template with the codes of {@link DATE_CODES}, or a function. */
export type StorageFolder = string | ((upload: NewObject) => string);

/** Where the bytes of a day are. */
export const DEFAULT_FOLDER = '%Y/%m/%d';

/** Date codes as in `strftime`, in UTC. */
const DATE_CODES: Readonly<Record<string, (date: Date) => string>> = {
  Y: (date) => String(date.getUTCFullYear()),
  m: (date) => twoDigits(date.getUTCMonth() + 1),
  d: (date) => twoDigits(date.getUTCDate()),
  H: (date) => twoDigits(date.getUTCHours()),
  M: (date) => twoDigits(date.getUTCMinutes()),
  S: (date) => twoDigits(date.getUTCSeconds()),
  j: (date) => String(dayOfYear(date)).padStart(3, '0'),
};

const FOLDER = /^(?:[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}(?:\/|$)){0,16}$/;

/** The folder that a template stands for at a moment. @throws RangeError for a template that is none. */
export function expandFolder(template: string, date: Date): string {
  return checked(
    template.replace(/%(.?)/g, (code, letter: string) => {
      const write = DATE_CODES[letter];
      if (write) return write(date);
      throw new RangeError(`${code} is no date code; there are %${Object.keys(DATE_CODES).join(', %')}`);
    }),
  );
}

function checked(folder: string): string {
  const path = folder.replace(/^\/+|\/+$/g, '');
  if (FOLDER.test(path) && path.length <= 500) return path;
  throw new RangeError(
    'a folder has letters, digits and . _ - between slashes, and no name begins with a dot',
  );
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}

function dayOfYear(date: Date): number {
  return Math.floor((date.getTime() - Date.UTC(date.getUTCFullYear())) / (24 * 60 * 60 * 1000)) + 1;
}

/** What the files of a store end in, without a dot; empty for nothing. */
export interface FileExtensions {
  readonly receiving: string;
  readonly complete: string;
}

export const DEFAULT_EXTENSIONS: FileExtensions = { receiving: 'part', complete: 'done' };

/** Key of the file that a generation of an unfinished upload is received in. */
export function partKey(
  { storageKey }: StoredUpload,
  generation: number,
  { receiving }: FileExtensions = DEFAULT_EXTENSIONS,
): string {
  return generation === 0 ? `${storageKey}.${receiving}` : `${storageKey}.${generation}.${receiving}`;
}

/** Key of a completed upload. */
export function finalKey(
  { storageKey }: StoredUpload,
  { complete }: FileExtensions = DEFAULT_EXTENSIONS,
): string {
  return complete === '' ? storageKey : `${storageKey}.${complete}`;
}

const FILE_NAME = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:(?:\.\d+)?\.([A-Za-z][\w-]*))?$/;

/** The upload that a file of these names belongs to; null for any other file. */
export function uploadIdOf(fileName: string, { receiving, complete }: FileExtensions): string | null {
  const [, id, extension = ''] = FILE_NAME.exec(fileName) ?? [];
  const ours = [receiving, complete, DEFAULT_EXTENSIONS.receiving, DEFAULT_EXTENSIONS.complete];
  return id !== undefined && ours.includes(extension) ? id : null;
}
