import { ChunkedUpload } from '../../../src/client/node.js';

/** Begins a dozen uploads that share a signal, and that nobody answers. */
const { signal } = new AbortController();
const options = {
  endpoint: 'http://127.0.0.1:9/upload',
  store: false,
  retry: { maxAttempts: 1 },
  signal,
} as const;
const uploads = Array.from({ length: 12 }, () => new ChunkedUpload(new Blob(['a']), options));
await Promise.allSettled(uploads.map((upload) => upload.start()));
