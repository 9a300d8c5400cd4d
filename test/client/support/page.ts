import { ChunkedUpload, IndexedDbStore, UploadQueue, uploadKey } from '../../../src/client/index.js';
import { Agent, bytesOf, type FileSpec } from './agent.js';

/** When all files of tests were changed last. */
const CHANGED_AT = 1767323045678;

const fileOf = (file: FileSpec) =>
  new File([bytesOf(file)], file.name, { type: file.type ?? '', lastModified: CHANGED_AT });

/** The client in this page. */
const agent = new Agent(
  {
    store: new IndexedDbStore(),
    create: (file, options) => new ChunkedUpload(fileOf(file), options),
    queue: (options) => {
      const queue = new UploadQueue(options);
      return {
        add: (file) => queue.add(fileOf(file)),
        pauseAll: () => queue.pauseAll(),
        resumeAll: () => queue.resumeAll(),
        cancelAll: () => queue.cancelAll(),
      };
    },
    key: (file, options) => uploadKey(fileOf(file), options),
  },
  // As a page would say it.
  '/upload',
);

Object.assign(globalThis, { agent });
