import type { StorageDriver, StoredUpload } from '../../storage/storage-driver.interface.js';

/** A driver on a storage of its own, and what a test can do to that storage behind the driver's back. */
export interface DriverFixture {
  readonly driver: StorageDriver;
  /** Another instance on the same storage, as another process has one. */
  readonly second: StorageDriver;
  /** Names of everything that is stored for uploads now; a case fails when it leaves any. */
  stored(): Promise<readonly string[]>;
  /** Loses bytes of an upload: all behind the first `keepBytes`, or all of it when null. */
  lose?(upload: StoredUpload, keepBytes: number | null): Promise<void>;
  /** Makes a received upload that long, the new bytes being zeros, without writing them. */
  grow?(upload: StoredUpload, bytes: number): Promise<void>;
  /** A driver whose storage is there and empty, but another one: the wrong disk, the wrong bucket. */
  elsewhere?(): Promise<StorageDriver>;
  /** Takes the storage away from its drivers, as unmounting does; the result plugs it in again. */
  unplug?(): Promise<() => Promise<void>>;
  /** Gives everything back. */
  close(): Promise<void>;
}

/** What a fixture may do to the storage behind the driver's back. */
export type Ability = 'lose' | 'grow' | 'elsewhere' | 'unplug';

/** A driver as the contract sees it. */
export interface DriverSubject {
  /** Opens an empty storage; called once for each case. */
  readonly open: () => Promise<DriverFixture>;
  /** What its fixtures cannot do to the storage; those cases are listed and not run. @default [] */
  readonly cannot?: readonly Ability[];
}

/** One promise of the contract, for any test runner. */
export interface ContractCase {
  readonly name: string;
  /** Why it cannot be tried on this subject; null when it can. Show it: what was not run was not proven. */
  readonly notRun: string | null;
  /** Rejects, with an `AssertionError` for a broken promise. */
  run(): Promise<void>;
}

/** A case before it meets a subject. */
export interface CaseDefinition {
  readonly name: string;
  readonly needs?: Ability;
  readonly body: (fixture: DriverFixture) => Promise<void>;
}
