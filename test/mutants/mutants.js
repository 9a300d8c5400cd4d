import { chunkMutants } from './mutants/chunks.js';
import { completionMutants } from './mutants/completion.js';
import { leaseMutants } from './mutants/leases.js';
import { removalMutants } from './mutants/removal.js';
import { storageMutants } from './mutants/storage.js';
import { whoMutants } from './mutants/who.js';

/**
 * Ways to break the code, each the kind of mistake that a change may bring in, with the test that notices.
 *
 * `find` is in `file` exactly once. `breaks` begins with the line of docs/guarantees.md where there is one. `killedBy` is
 * the fastest test that turns red; its `test` is a part of the name.
 */
export const mutants = [
  ...storageMutants,
  ...chunkMutants,
  ...leaseMutants,
  ...completionMutants,
  ...removalMutants,
  ...whoMutants,
];
