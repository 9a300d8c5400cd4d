import { join } from 'node:path';
import type { StorageState, StoredUpload } from '../storage-driver.interface.js';
import { DEFAULT_EXTENSIONS, type FileExtensions, finalKey, partKey } from '../storage-key.js';
import { statOrNull } from './durable-file.js';

/** Where the files of an upload are under a root. */
export class LocalFiles {
  constructor(
    private readonly root: string,
    readonly extensions: FileExtensions,
  ) {}

  path(key: string): string {
    return join(this.root, key);
  }

  /** The file a generation is received in. */
  part(upload: StoredUpload, generation: number): string {
    return this.path(partKey(upload, generation, this.extensionsOf(upload)));
  }

  final(upload: StoredUpload): string {
    return this.path(finalKey(upload, this.extensionsOf(upload)));
  }

  /** The file that holds the acknowledged bytes. */
  async whereabouts(upload: StoredUpload): Promise<string> {
    const final = this.final(upload);
    if (upload.storageState?.finished) return final;
    const part = this.part(upload, committedGeneration(upload) ?? upload.generation);
    // A completion that was cut off after the rename left the final name, and a row that does not know it yet.
    return (await statOrNull(part)) ? part : final;
  }

  /** What a row must remember so that its files are found when the option has changed; nothing for the usual names. */
  remembered(upload: StoredUpload): StorageState {
    const { receiving, complete } = this.extensionsOf(upload);
    const isUsual = receiving === DEFAULT_EXTENSIONS.receiving && complete === DEFAULT_EXTENSIONS.complete;
    return isUsual ? {} : { receiving, complete };
  }

  private extensionsOf({ storageState }: StoredUpload): FileExtensions {
    if (!storageState) return this.extensions;
    const { receiving, complete } = storageState;
    const isNamed = typeof receiving === 'string' && typeof complete === 'string';
    return isNamed ? { receiving, complete } : DEFAULT_EXTENSIONS;
  }
}

/** The generation whose file holds the acknowledged bytes; null before the first commit. */
export function committedGeneration({ storageState }: StoredUpload): number | null {
  return typeof storageState?.generation === 'number' ? storageState.generation : null;
}

const EXTENSION = /^[A-Za-z][A-Za-z0-9_-]{0,19}$/;

/** @throws RangeError for extensions that cannot be told apart, or are none. */
export function resolveExtensions(given: Partial<FileExtensions>): FileExtensions {
  const { receiving, complete } = { ...DEFAULT_EXTENSIONS, ...given };
  const [part, done] = [receiving, complete].map((extension) => extension.replace(/^\./, ''));
  if (
    part &&
    done !== undefined &&
    EXTENSION.test(part) &&
    (done === '' || EXTENSION.test(done)) &&
    part !== done
  ) {
    return { receiving: part, complete: done };
  }
  throw new RangeError(
    "extensions must be two different ones of letters, digits, _ and -, like { receiving: 'part', complete: 'done' }.",
  );
}
