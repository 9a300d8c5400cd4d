import { sortedFor } from './memory.store.js';
import type { ResumeStore, StoredUpload } from './resume-store.js';

const TABLE = 'uploads';

/** Remembers uploads in the browser, for one origin, until the user clears its data. */
export class IndexedDbStore implements ResumeStore {
  #database: Promise<IDBDatabase> | null = null;

  /** @param name of the database. */
  constructor(private readonly name = 'nestjs-chunked-upload') {}

  async get(key: string): Promise<StoredUpload | null> {
    const found = await this.#run(
      'readonly',
      (table) => table.get(key) as IDBRequest<StoredUpload | undefined>,
    );
    return found ?? null;
  }

  async set(key: string, upload: StoredUpload): Promise<void> {
    await this.#run('readwrite', (table) => table.put(upload, key));
  }

  async delete(key: string): Promise<void> {
    await this.#run('readwrite', (table) => table.delete(key));
  }

  async list(userId: string | null): Promise<StoredUpload[]> {
    const all = await this.#run('readonly', (table) => table.getAll() as IDBRequest<StoredUpload[]>);
    return sortedFor(userId, all);
  }

  async #run<Result>(
    mode: IDBTransactionMode,
    work: (table: IDBObjectStore) => IDBRequest<Result>,
  ): Promise<Result> {
    this.#database ??= this.#open();
    const database = await this.#database;
    return settled(work(database.transaction(TABLE, mode).objectStore(TABLE)));
  }

  async #open(): Promise<IDBDatabase> {
    const opening = indexedDB.open(this.name, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(TABLE);
    const database = await settled(opening);
    // Another page may delete or upgrade the database; the next call opens it anew.
    database.onversionchange = database.onclose = () => {
      database.close();
      this.#database = null;
    };
    return database;
  }
}

function settled<Result>(request: IDBRequest<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error());
  });
}
