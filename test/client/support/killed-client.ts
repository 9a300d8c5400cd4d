import { ChunkedUpload, FileStore } from '../../../src/client/node.js';

/** Uploads a file, until it is killed: `<file> <endpoint> <folder of the store>`. Ends with the bytes sent since the start. */
const [path = '', endpoint = '', folder] = process.argv.slice(2);
const upload = new ChunkedUpload(path, {
  endpoint,
  store: new FileStore(folder),
  chunkBytes: 256 * 1024,
  retry: { minDelayMs: 50, maxDelayMs: 500 },
});
upload.on('created', ({ isResumed }) => process.stdout.write(isResumed ? 'resumed\n' : 'new\n'));
const { size } = await upload.start();
process.stdout.write(`complete ${size}\n`);
