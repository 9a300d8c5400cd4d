import { describe, it } from '@jest/globals';
import type { StoredUpload } from '../../src/storage/storage-driver.interface.js';
import { type DriverFixture, storageDriverContract } from '../../src/testing/index.js';
import { MemoryDisk, MemoryDriver } from './memory.driver.js';

function openMemory(): Promise<DriverFixture> {
  const disk = new MemoryDisk();
  const namesOf = ({ id }: StoredUpload) => [...disk.files.keys()].filter((name) => name.includes(id));
  return Promise.resolve({
    driver: new MemoryDriver(disk),
    second: new MemoryDriver(disk),
    stored: () => Promise.resolve([...disk.files.keys()]),
    lose: (upload, keepBytes) => {
      for (const name of namesOf(upload)) {
        if (keepBytes === null) disk.files.delete(name);
        else disk.files.get(name)?.truncate(keepBytes);
      }
      return Promise.resolve();
    },
    elsewhere: () => Promise.resolve(new MemoryDriver(new MemoryDisk())),
    unplug: () => {
      disk.isAway = true;
      return Promise.resolve(() => {
        disk.isAway = false;
        return Promise.resolve();
      });
    },
    close: () => Promise.resolve(),
  });
}

describe('The driver that the model tests use keeps the contract of a StorageDriver', () => {
  for (const { name, notRun, run } of storageDriverContract({ open: openMemory, cannot: ['grow'] })) {
    (notRun ? it.skip : it)(name, run);
  }
});
