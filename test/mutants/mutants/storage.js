const DRIVER_SPEC = 'src/storage/local/local.driver.spec.ts';
const CONTRACT_SPEC = 'test/contract/local.driver.contract.spec.ts';
const WRITER = 'src/storage/local/local.writer.ts';
const SEALER = 'src/storage/local/local.sealer.ts';
const SYNC = 'if (durable) await this.target.file.datasync();';

/** What reaches the disk, and in which order. */
export const storageMutants = [
  {
    name: 'no fdatasync of a chunk',
    breaks: '1 acknowledged is durable',
    file: WRITER,
    find: SYNC,
    replace: '',
    killedBy: { suite: DRIVER_SPEC, test: 'a first chunk: the bytes, then the name' },
  },
  {
    name: 'fdatasync is not waited for',
    breaks: '1 acknowledged is durable',
    file: WRITER,
    find: SYNC,
    replace: 'if (durable) void this.target.file.datasync().catch(() => undefined);',
    killedBy: { suite: DRIVER_SPEC, test: 'a datasync that fails, fails the chunk' },
  },
  {
    name: 'sync again after EIO',
    breaks: '1 acknowledged is durable: the pages may be marked clean',
    file: WRITER,
    find: SYNC,
    replace: 'if (durable) await this.target.file.datasync().catch(() => this.target.file.datasync());',
    killedBy: { suite: DRIVER_SPEC, test: 'a datasync that fails, fails the chunk' },
  },
  {
    name: 'no sync of the folder of a new file',
    breaks: '1 acknowledged is durable',
    file: WRITER,
    find: 'if (durable && isNew) await syncFolder(dirname(path));',
    replace: '',
    killedBy: { suite: DRIVER_SPEC, test: 'a fork: the bytes, then its new name' },
  },
  {
    name: 'no sync of new folders',
    breaks: '1 acknowledged is durable',
    file: 'src/storage/local/durable-file.ts',
    find: 'await syncFolder(dirname(path));',
    replace: '',
    killedBy: { suite: DRIVER_SPEC, test: 'a new day: each new folder’s name' },
  },
  {
    name: 'no sync of the final name',
    breaks: '7 completion is all or nothing',
    file: SEALER,
    find: 'return syncFolderAfter(dirname(part), ',
    replace: 'return ((change: () => Promise<boolean>) => change())(',
    killedBy: { suite: DRIVER_SPEC, test: 'finishing: the bytes, the final name' },
  },
  {
    name: 'no sync of a final name that was there',
    breaks: '7 completion is all or nothing',
    file: SEALER,
    find: 'await syncFolder(dirname(this.files.final(upload)));',
    replace: '',
    killedBy: { suite: DRIVER_SPEC, test: 'finishing again, after a crash' },
  },
  {
    name: 'close not checked',
    breaks: '1 acknowledged is durable: close is where quotas and NFS tell',
    file: WRITER,
    find: 'await this.target.file.close();',
    replace: 'await this.target.file.close().catch(() => undefined);',
    killedBy: { suite: DRIVER_SPEC, test: 'a close that fails, fails the chunk' },
  },
  {
    name: 'a writer that wrote nothing cuts off what others wrote',
    breaks: '4 exact bytes',
    file: WRITER,
    find: 'if (this.isTouched) await file.truncate',
    replace: 'await file.truncate',
    killedBy: { suite: CONTRACT_SPEC, test: 'a writer that stays open, and has nothing to write' },
  },
  {
    name: 'a short write taken for a whole one',
    breaks: '4 exact bytes',
    file: 'src/storage/local/durable-file.ts',
    find: 'rest = dropFirst(rest, bytesWritten);',
    replace: 'rest = [];',
    killedBy: { suite: 'src/storage/local/durable-file.spec.ts', test: 'loops over writes that are short' },
  },
  {
    name: 'the torn tail is kept',
    breaks: '4 exact bytes, 7 completion is all or nothing',
    file: 'src/storage/local/local.opener.ts',
    find: 'if (size > offset) await file.truncate(offset);',
    replace: '',
    killedBy: { suite: DRIVER_SPEC, test: 'a torn tail is cut off' },
  },
  {
    name: 'a file that lost bytes is written on',
    breaks: '2 offsets never decrease: damage is said',
    file: 'src/storage/local/local.opener.ts',
    find: 'if (size < offset) throw bytesLost();',
    replace: '',
    killedBy: { suite: 'test/engine/leases.spec.ts', test: 'leases and the file' },
  },
];
