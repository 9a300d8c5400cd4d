import fc from 'fast-check';
import {
  AppendChunk,
  CancelUpload,
  CleanUp,
  CompleteUpload,
  CreateUpload,
  JumpClock,
  LookAtUploads,
  Restart,
} from './commands.js';
import type { Model } from './upload-model.js';
import type { Sequence } from './sequence.js';
import { bytesOf, HOUR } from './world.js';

/** The first that is likely, then the rest. */
function mostly<Value>(likely: Value, ...rare: Value[]): fc.Arbitrary<Value> {
  return fc.oneof({ arbitrary: fc.constant(likely), weight: 6 }, fc.constantFrom(likely, ...rare));
}

const user = mostly('ada', 'bob', 'cyd');
const pick = fc.nat({ max: 5 });
const refuses = mostly(null, 'beforeCreate' as const, 'beforeChunk' as const);
const checksum = mostly<'right' | 'upper' | 'wrong' | 'missing' | 'short' | 'unknown'>(
  'right',
  ...(['upper', 'wrong', 'missing', 'short', 'unknown'] as const),
);
const crash = fc.option(
  fc.record({
    at: fc.integer({ min: 1, max: 14 }),
    side: fc.constantFrom('before' as const, 'after' as const),
    isSeen: fc.boolean(),
  }),
  { freq: 6 },
);
const shape = fc.record({
  shift: mostly(0, -5, -1, 1, 7),
  length: fc.oneof(fc.constantFrom(0, 1, 10), fc.nat({ max: 34 })),
  excess: mostly(0, -1, 1, 20),
  total: fc.oneof(fc.constant(0), fc.constantFrom(null, 5, 10, 60)),
  hasWindow: mostly(true, false),
});
const seed = fc.nat().map((number) => bytesOf(96, number));
const sent = {
  user,
  shape,
  isRaw: fc.boolean(),
  ending: mostly('whole' as const, 'broken' as const, 'broken behind' as const),
  refuses,
  seed,
  crash,
};

const create = fc
  .record({
    ...sent,
    key: fc.option(fc.constantFrom('k1', 'k2'), { freq: 3, nil: undefined }),
    continues: fc.option(pick, { freq: 5 }),
    checksum: fc.option(checksum, { freq: 5 }),
  })
  .map((options) => new CreateUpload(options));
const append = fc.record({ ...sent, pick }).map((options) => new AppendChunk(options));
const complete = fc
  .record({
    user,
    pick,
    crash,
    checksum,
    refuses: mostly(null, 'beforeComplete' as const, 'onComplete' as const),
  })
  .map((options) => new CompleteUpload(options));

/** Sequences of up to 25 commands; the most frequent ones are those that change most. */
export function anyCommands(): fc.Arbitrary<Iterable<fc.AsyncCommand<Model, Sequence, true>>> {
  return fc.commands<Model, Sequence, true>(
    [
      create,
      append,
      append,
      append,
      complete,
      complete,
      fc.record({ user, pick, crash }).map((options) => new CancelUpload(options)),
      fc.record({ user, pick }).map((options) => new LookAtUploads(options)),
      fc
        .record({ keepRecords: fc.boolean(), crash })
        .map(({ keepRecords, crash: dies }) => new CleanUp(keepRecords, dies)),
      fc.constantFrom(HOUR / 5, 13 * HOUR, 25 * HOUR).map((ms) => new JumpClock(ms)),
      fc.constant(new Restart()),
    ],
    { maxCommands: 25 },
  );
}
