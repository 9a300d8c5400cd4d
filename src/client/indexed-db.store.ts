import { sortedFor } from './memory.store.js';
import type { ResumeStore, StoredUpload } from './resume-store.js';

const TABLE = 'uploads';

/** Remembers uploads in the browser, for one origin, until the user clears its data. */
export class IndexedDbStore implements ResumeStore {
  /** @param name of the database. */
  constructor(private readonly name = 'nestjs-chunked-upload') {}

  async get(key: string): Promise<StoredUpload | null> {
    const found = await this.#run((table) => table.get(key) as IDBRequest<StoredUpload | undefined>);
    return found ?? null;
  }

  async set(key: string, upload: StoredUpload): Promise<void> {
    await this.#run((table) => table.put(upload, key));
  }

  async delete(key: string): Promise<void> {
    await this.#run((table) => table.delete(key));
  }

  async list(userId: string | null): Promise<StoredUpload[]> {
    const all = await this.#run((table) => table.getAll() as IDBRequest<StoredUpload[]>);
    return sortedFor(userId, all);
  }

  /** Opens the database each time: it is rare, and other pages may delete it meanwhile. */
  async #run<Result>(work: (table: IDBObjectStore) => IDBRequest<Result>): Promise<Result> {
    const opening = indexedDB.open(this.name, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(TABLE);
    const database = await settled(opening);
    const table = database.transaction(TABLE, 'readwrite').objectStore(TABLE);
    return settled(work(table)).finally(() => database.close());
  }
}

function settled<Result>(request: IDBRequest<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error());
  });
}
