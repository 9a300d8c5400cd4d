import assert from 'node:assert/strict';
import type fc from 'fast-check';
import type { ChunkWindow } from '../../../src/engine/chunk-window.js';
import type { ChunkedUpload } from '../../../src/index.js';
import { adopt } from './adoption.js';
import * as predict from './predictions.js';
import { assertSame, type Crash, type Outcome, type Sequence } from './sequence.js';
import { type Code, Model, type ModelUpload } from './upload-model.js';
import { bodyOf, callerOf, DESCRIPTION, type HookName, type SimulatedProcess } from './world.js';

interface Step<Result> {
  readonly name: string;
  readonly user: string;
  readonly crash: Crash | null;
  readonly key?: string | undefined;
  readonly created?: Buffer;
  readonly predict: (model: Model) => Code;
  readonly run: (process: SimulatedProcess) => Promise<Result>;
  /** The answer to a request that was not refused, the model being as it is afterwards. */
  readonly answered?: (model: Model, value: Result) => void;
}

function copyOf(model: Model): Model {
  const copy = new Model();
  copy.now = model.now;
  copy.uploads = model.uploads.map((upload) => ({ ...upload }));
  for (const name of model.gone) copy.gone.add(name);
  return copy;
}

/** Does one command in both worlds and compares. */
async function both<Result>(model: Model, real: Sequence, step: Step<Result>): Promise<void> {
  const before = copyOf(model);
  const outcome: Outcome<Result> = await real.attempt(step.run, step.crash);
  const code = step.predict(model);
  if (outcome.kind === 'crash') {
    const { user, key, created } = step;
    adopt(model, await real.rows(), { before, after: copyOf(model), user, key, ...(created && { created }) });
    real.restart(model, step.crash?.isSeen ?? true);
  } else {
    assert.equal(outcome.code, code, step.name);
    if (outcome.kind === 'answer') step.answered?.(model, outcome.value);
    else if (code === 'offset_mismatch') assert.equal(typeof outcome.error.details.offset, 'number');
  }
  await real.check(model);
}

type Command = fc.AsyncCommand<Model, Sequence, true>;

abstract class Base implements Command {
  abstract readonly label: string;
  check(): Promise<boolean> {
    return Promise.resolve(true);
  }
  abstract run(model: Model, real: Sequence): Promise<void>;
  toString(): string {
    return this.label;
  }
}

function show(value: object): string {
  return JSON.stringify(value, (_key, part: unknown) => {
    const isBytes = typeof part === 'object' && part !== null && 'data' in part && Array.isArray(part.data);
    return isBytes ? `${(part as { data: unknown[] }).data.length} bytes` : part;
  });
}

/** How the chunk relates to where the upload stands. */
export interface ChunkShape {
  /** Added to the offset: 0 is right, below is a duplicate or an overlap, above a gap. */
  readonly shift: number;
  readonly length: number;
  /** Added to the length: bytes sent beyond the window, or missing. */
  readonly excess: number;
  /** Null: none told; a number is added to the right one. */
  readonly total: number | null;
  readonly hasWindow: boolean;
}

function windowOf({ shift, length, total, hasWindow }: ChunkShape, upload?: ModelUpload): ChunkWindow | null {
  if (!hasWindow) return null;
  const start = Math.max(0, (upload?.bytes.length ?? 0) + shift);
  const known = upload?.size ?? null;
  const end =
    start + (known === null || total === null ? length : Math.min(length, Math.max(0, known - start)));
  return { start, end, total: total === null ? null : Math.max(end, (known ?? end) + total) };
}

export interface AppendOptions {
  readonly user: string;
  readonly pick: number;
  readonly shape: ChunkShape;
  readonly isRaw: boolean;
  readonly ending: 'whole' | 'broken' | 'broken behind';
  readonly refuses: HookName | null;
  readonly seed: Buffer;
  readonly crash: Crash | null;
}

function sent(shape: ChunkShape, window: ChunkWindow | null, seed: Buffer): Buffer {
  const length = window ? window.end - window.start : shape.length;
  return seed.subarray(0, Math.max(0, length + shape.excess));
}

export class AppendChunk extends Base {
  readonly label: string;

  constructor(private readonly options: AppendOptions) {
    super();
    this.label = `append ${show(options)}`;
  }

  async run(model: Model, real: Sequence): Promise<void> {
    const { user, pick, shape, isRaw, ending, refuses, crash } = this.options;
    const target = model.pick(pick);
    const window = windowOf(shape, target);
    const bytes = sent(shape, window, this.options.seed);
    const id = target?.id ?? '00000000-0000-4000-8000-000000000000';
    await both<ChunkedUpload>(model, real, {
      name: `${this.label} of ${JSON.stringify(window)}`,
      user,
      crash,
      predict: (at) => predict.append(at, target, { user, window, bytes, isRaw, ending, refuses }),
      run: ({ engine }) => {
        const body = bodyOf(bytes, { isRaw, ending });
        const open = () => Promise.resolve(body);
        const stream = isRaw ? body.stream : null;
        return engine.append({ caller: callerOf(user, refuses), id, window, open, stream });
      },
      answered: (_at, upload) => assert.equal(upload.offset, target?.bytes.length),
    });
  }
}

export interface CreateOptions extends Omit<AppendOptions, 'pick'> {
  readonly key: string | undefined;
  /** The bytes are a chunk of that upload. */
  readonly continues: number | null;
  /** One request for everything. */
  readonly checksum: predict.ChecksumKind | null;
}

export class CreateUpload extends Base {
  readonly label: string;

  constructor(private readonly options: CreateOptions) {
    super();
    this.label = `create ${show(options)}`;
  }

  async run(model: Model, real: Sequence): Promise<void> {
    const { user, shape, isRaw, ending, refuses, key, crash, checksum } = this.options;
    const isContinuing = this.options.continues !== null && !isRaw && key === undefined && checksum === null;
    const continues = isContinuing ? (model.pick(this.options.continues ?? 0) ?? null) : null;
    const window = windowOf(checksum ? { ...shape, hasWindow: false } : shape, continues ?? undefined);
    const bytes = sent(shape, window, this.options.seed);
    const input = { user, window, bytes, isRaw, ending, refuses, key, continues };
    let existing: ModelUpload | undefined;
    let created: ModelUpload | undefined;
    await both<ChunkedUpload>(model, real, {
      name: `${this.label} of ${JSON.stringify(window)}`,
      user,
      crash,
      key,
      created: bytes,
      predict: (at) => {
        // Of a raw request it can be told before a byte is read.
        if (checksum && isRaw && predict.isUncomparable(checksum)) return predict.checksumCode(checksum);
        const prediction = predict.create(at, input);
        existing = prediction.existing ?? continues ?? undefined;
        if (prediction.code !== null) return prediction.code;
        const size = window ? window.total : bytes.length;
        created = existing ? undefined : at.created({ id: '', user, key, size, bytes });
        if (!checksum) return null;
        const code = predict.complete(at, existing ?? created, { user, checksum, refuses });
        if (code && created) at.remove(created);
        return code;
      },
      run: ({ engine }) => {
        const late = { ...DESCRIPTION, continues: continues?.id ?? null };
        const command = {
          caller: callerOf(user, refuses),
          window,
          body: bodyOf(bytes, { isRaw, ending }),
          description: DESCRIPTION,
          late: isRaw ? null : () => Promise.resolve(late),
          idempotencyKey: key,
        };
        if (!checksum) return engine.create(command);
        const there = predict.create(copyOf(model), input).existing;
        const sums = predict.checksums(checksum, there?.bytes ?? bytes);
        return engine.createComplete(command, () => Promise.resolve(sums));
      },
      answered: (_at, upload) => {
        if (created) Object.assign(created, { id: upload.id });
        assert.equal(upload.id, (existing ?? created)?.id);
      },
    });
  }
}

export interface TargetOptions {
  readonly user: string;
  readonly pick: number;
  readonly crash: Crash | null;
}

export class CompleteUpload extends Base {
  readonly label: string;

  constructor(
    private readonly options: TargetOptions & {
      readonly checksum: predict.ChecksumKind;
      readonly refuses: HookName | null;
    },
  ) {
    super();
    this.label = `complete ${show(options)}`;
  }

  async run(model: Model, real: Sequence): Promise<void> {
    const { user, pick, crash, checksum, refuses } = this.options;
    const target = model.pick(pick);
    const id = target?.id ?? '00000000-0000-4000-8000-000000000000';
    const checksums = predict.checksums(checksum, target?.bytes ?? Buffer.alloc(0));
    await both<ChunkedUpload>(model, real, {
      name: this.label,
      user,
      crash,
      predict: (at) => predict.complete(at, target, { user, checksum, refuses }),
      run: ({ engine }) => engine.complete({ caller: callerOf(user, refuses), id, checksums }),
      answered: (_at, upload) => assertSame(upload.completionResult, { done: id }, this.label),
    });
  }
}

export class CancelUpload extends Base {
  readonly label: string;

  constructor(private readonly options: TargetOptions) {
    super();
    this.label = `cancel ${show(options)}`;
  }

  async run(model: Model, real: Sequence): Promise<void> {
    const { user, pick, crash } = this.options;
    const target = model.pick(pick);
    const id = target?.id ?? '00000000-0000-4000-8000-000000000000';
    await both(model, real, {
      name: this.label,
      user,
      crash,
      predict: (at) => predict.cancel(at, target, user),
      run: ({ engine }) => engine.cancel(callerOf(user), id),
    });
  }
}

/** Asks for one upload, its content, and the list. */
export class LookAtUploads extends Base {
  readonly label: string;

  constructor(private readonly options: Omit<TargetOptions, 'crash'>) {
    super();
    this.label = `look ${show(options)}`;
  }

  async run(model: Model, real: Sequence): Promise<void> {
    const { user, pick } = this.options;
    const target = model.pick(pick);
    const id = target?.id ?? '00000000-0000-4000-8000-000000000000';
    const scope = callerOf(user);
    const usable = model.usable(user, target);
    await both(model, real, {
      name: this.label,
      user,
      crash: null,
      predict: () => usable,
      run: async ({ engine }) => {
        const ids = (await engine.list(scope, { limit: 100 })).map((upload) => upload.id);
        const visible = model.visible(user).map((upload) => upload.id);
        assertSame(ids.sort(), visible.sort(), `the list of ${user}`);
        return engine.find(scope, id);
      },
      answered: (_at, upload) => assert.equal(upload.offset, target?.bytes.length),
    });
    if (target?.status !== 'complete' || usable) return;
    const { engine } = real.process;
    const content = engine.read(await engine.findComplete(scope, id), { start: 0, end: target.bytes.length });
    assert.ok(Buffer.concat((await content.toArray()) as Buffer[]).equals(target.bytes));
  }
}

export class CleanUp extends Base {
  readonly label: string;

  constructor(
    private readonly keepRecords: boolean,
    private readonly crash: Crash | null,
  ) {
    super();
    this.label = `clean ${show({ keepRecords, crash })}`;
  }

  async run(model: Model, real: Sequence): Promise<void> {
    const { keepRecords, crash } = this;
    let due = 0;
    await both(model, real, {
      name: this.label,
      user: '',
      crash,
      predict: (at) => {
        due = predict.clean(at, keepRecords);
        return null;
      },
      run: ({ cleanup }) => cleanup.run({ keepRecords }),
      answered: (_at, report) => assertSame([report.rows, report.failures], [due, 0], this.label),
    });
  }
}

export class JumpClock extends Base {
  readonly label: string;

  constructor(private readonly ms: number) {
    super();
    this.label = `wait ${ms / 60_000} minutes`;
  }

  async run(model: Model, real: Sequence): Promise<void> {
    model.now += this.ms;
    await real.world.jump(this.ms);
  }
}

/** A process is stopped and another started, nothing being under way. */
export class Restart extends Base {
  readonly label = 'restart';

  run(model: Model, real: Sequence): Promise<void> {
    real.restart(model, true);
    return Promise.resolve();
  }
}
