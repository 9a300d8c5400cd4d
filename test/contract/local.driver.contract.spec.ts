import { describe, it } from '@jest/globals';
import { storageDriverContract } from '../../src/testing/index.js';
import { openFaultInjectingStorage, openLocalStorage } from './local-storage.fixture.js';

describe('LocalStorage keeps the contract of a StorageDriver', () => {
  for (const { name, notRun, run } of storageDriverContract({ open: openLocalStorage })) {
    (notRun ? it.skip : it)(name, run);
  }
});

describe('FaultInjectingDriver without a fault keeps it, too', () => {
  for (const { name, notRun, run } of storageDriverContract({ open: openFaultInjectingStorage })) {
    (notRun ? it.skip : it)(name, run);
  }
});
