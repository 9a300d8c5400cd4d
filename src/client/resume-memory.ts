import type { ResumeStore, StoredUpload } from './resume-store.js';

/** The store's entry for one file. Resuming is a convenience: when the store fails, the upload goes on without it. */
export class ResumeMemory {
  readonly #store: ResumeStore | null;
  readonly #key: string | null;

  /** @param key null for what cannot be recognised. */
  constructor(store: ResumeStore | null, key: string | null) {
    this.#store = store;
    this.#key = key;
  }

  /** The url of the upload that was begun with this file; null for none. */
  async find(): Promise<string | null> {
    const entry = await this.#quietly((store, key) => store.get(key));
    return entry?.url ?? null;
  }

  async remember(entry: Omit<StoredUpload, 'key' | 'createdAt'>): Promise<void> {
    await this.#quietly((store, key) => store.set(key, { ...entry, key, createdAt: Date.now() }));
  }

  /** Forgets it, unless the same file was begun anew elsewhere meanwhile. */
  async forget(url: string | null): Promise<void> {
    if ((await this.find()) === url) await this.#quietly((store, key) => store.delete(key));
  }

  async #quietly<Result>(work: (store: ResumeStore, key: string) => Promise<Result>): Promise<Result | null> {
    if (this.#store === null || this.#key === null) return null;
    try {
      return await work(this.#store, this.#key);
    } catch {
      return null;
    }
  }
}
