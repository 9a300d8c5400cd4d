/** `nestjs-chunked-upload/testing`: for those who write a storage driver, or an app that has to survive a failing one. */
export {
  type ContractCase,
  type DriverFixture,
  type DriverSubject,
  storageDriverContract,
} from './storage-driver.contract.js';
export {
  FaultInjectingDriver,
  type FaultKind,
  STORAGE_CALLS,
  type StorageCall,
  type StorageFault,
} from './fault-injecting.driver.js';
