import type { ResumeStore, StoredUpload } from './resume-store.js';

/** Remembers uploads as long as the page or process lives. */
export class MemoryStore implements ResumeStore {
  readonly #entries = new Map<string, StoredUpload>();

  get(key: string): Promise<StoredUpload | null> {
    return Promise.resolve(this.#entries.get(key) ?? null);
  }

  async set(key: string, upload: StoredUpload): Promise<void> {
    await Promise.resolve(this.#entries.set(key, upload));
  }

  async delete(key: string): Promise<void> {
    await Promise.resolve(this.#entries.delete(key));
  }

  list(userId: string | null): Promise<StoredUpload[]> {
    return Promise.resolve(sortedFor(userId, [...this.#entries.values()]));
  }
}

/** The entries of one user, oldest first. */
export function sortedFor(userId: string | null, entries: readonly StoredUpload[]): StoredUpload[] {
  return entries.filter((entry) => entry.userId === userId).sort((a, b) => a.createdAt - b.createdAt);
}
