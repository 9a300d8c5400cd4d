import { BlobSource } from './blob.source.js';
import { IndexedDbStore } from './indexed-db.store.js';
import type { Platform } from './platform.js';
import { Sha256 } from './sha256.js';
import { sendByXhr } from './xhr.transport.js';

const NETWORK_EVENTS = ['online', 'offline'];

/** A page, or a worker of one. */
export const browserPlatform: Platform<Blob, Blob> = {
  open: (blob) => Promise.resolve(new BlobSource(blob)),
  send: sendByXhr,
  sha256(bytes) {
    const hash = new Sha256();
    hash.update(bytes);
    return hash.digest();
  },
  isOnline: () => navigator.onLine,
  watchNetwork(listener) {
    for (const event of NETWORK_EVENTS) addEventListener(event, listener);
    return () => {
      for (const event of NETWORK_EVENTS) removeEventListener(event, listener);
    };
  },
  get baseUrl() {
    return location.href;
  },
  defaultStore: () => new IndexedDbStore(),
};
