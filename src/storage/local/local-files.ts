import { join } from 'node:path';
import type { StoredUpload } from '../storage-driver.interface.js';
import { finalKey, partKey } from '../storage-key.js';
import { statOrNull } from './durable-file.js';

/** Where the files of an upload are under a root. */
export class LocalFiles {
  constructor(private readonly root: string) {}

  path(key: string): string {
    return join(this.root, key);
  }

  /** The file a generation is received in. */
  part(upload: StoredUpload, generation: number): string {
    return this.path(partKey(upload, generation));
  }

  final(upload: StoredUpload): string {
    return this.path(finalKey(upload));
  }

  /** The file that holds the acknowledged bytes. */
  async whereabouts(upload: StoredUpload): Promise<string> {
    const final = this.final(upload);
    if (upload.storageState?.finished) return final;
    const part = this.part(upload, committedGeneration(upload) ?? upload.generation);
    // A completion that was cut off after the rename left the final name, and a row that does not know it yet.
    return (await statOrNull(part)) ? part : final;
  }
}

/** The generation whose file holds the acknowledged bytes; null before the first commit. */
export function committedGeneration({ storageState }: StoredUpload): number | null {
  return typeof storageState?.generation === 'number' ? storageState.generation : null;
}
