import { BlobSource } from './blob.source.js';
import { hashFile } from './hash-file.js';
import { IndexedDbStore } from './indexed-db.store.js';
import type { Platform } from './platform.js';
import { sendByXhr } from './xhr.transport.js';

/** A page, or a worker of one. */
export const browserPlatform: Platform<Blob, Blob> = {
  open: (blob) => Promise.resolve(new BlobSource(blob)),
  send: sendByXhr,
  sha256: (parts) => hashFile(new Blob(parts), 'sha256'),
  isOnline: () => navigator.onLine,
  watchNetwork(listener, signal) {
    for (const event of ['online', 'offline']) addEventListener(event, listener, { signal });
  },
  get baseUrl() {
    return location.href;
  },
  defaultStore: () => new IndexedDbStore(),
};
