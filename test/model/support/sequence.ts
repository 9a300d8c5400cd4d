import assert from 'node:assert/strict';
import type { ChunkedUpload } from '../../../src/index.js';
import { UploadError } from '../../../src/errors/upload-error.js';
import type { StorageDriver } from '../../../src/storage/storage-driver.interface.js';
import { storedUpload } from '../../../src/engine/engine-context.js';
import { CrashGate } from './gates.js';
import type { Step } from '../memory.driver.js';
import type { Code, Model, ModelUpload } from './upload-model.js';
import type { Row, SimulatedProcess, World } from './world.js';

/** `deepEqual` for plain data, whatever realm its arrays are of. */
export function assertSame(found: unknown, wanted: unknown, what: string): void {
  assert.equal(JSON.stringify(found), JSON.stringify(wanted), what);
}

/** Where in its command a process dies, and whether others can see that it did. */
export interface Crash {
  readonly at: number;
  readonly side: 'before' | 'after';
  readonly isSeen: boolean;
}

export interface Storage {
  /** A driver of one process; `step` runs before each of its system calls. */
  readonly driver: (step: Step) => StorageDriver;
  /** Names of all files. */
  readonly names: () => Promise<string[]>;
  readonly clear: () => Promise<void>;
}

export type Outcome<Result> =
  | { readonly kind: 'answer'; readonly code: null; readonly value: Result }
  | { readonly kind: 'refusal'; readonly code: Code; readonly error: UploadError }
  | { readonly kind: 'crash' };

/** The real thing, one sequence of commands long: rows, bytes, and the process that is running now. */
export class Sequence {
  process: SimulatedProcess;
  private gate: CrashGate;
  private driver: StorageDriver;

  constructor(
    readonly world: World,
    private readonly storage: Storage,
  ) {
    this.boot();
  }

  private boot(): void {
    const gate = new CrashGate();
    this.gate = gate;
    this.driver = this.storage.driver((call) => gate.around(call, () => Promise.resolve()));
    this.process = this.world.boot(this.driver, gate);
  }

  /** Runs one command; a crash in it is followed by a new process. */
  async attempt<Result>(work: (process: SimulatedProcess) => Promise<Result>, crash: Crash | null) {
    if (crash) this.gate.arm(crash.at, crash.side);
    const outcome = await work(this.process).then(
      (value): Outcome<Result> => ({ kind: 'answer', code: null, value }),
      (error: unknown): Outcome<Result> => {
        if (this.gate.isDead) return { kind: 'crash' };
        if (!UploadError.is(error)) throw error;
        return { kind: 'refusal', code: error.code, error };
      },
    );
    if (this.gate.isDead) return { kind: 'crash' } as const;
    this.gate.disarm();
    return outcome;
  }

  /** The process ends here, if it has not yet, and another starts. */
  restart(model: Model, isSeen: boolean): void {
    this.gate.arm(1, 'before');
    if (isSeen) {
      this.world.gone.add(this.process.name);
      model.gone.add(this.process.name);
    }
    this.boot();
  }

  rows(): Promise<Row[]> {
    return this.world.rows();
  }

  /** Offset, bytes, row and lease are what the model says; no bytes without a row, no row without bytes. */
  async check(model: Model): Promise<void> {
    const rows = await this.rows();
    const ids = model.uploads.map(({ id }) => id);
    assertSame(rows.map(({ id }) => id).sort(), ids.sort(), 'the rows there are');
    for (const row of rows) {
      const upload = model.uploads.find(({ id }) => id === row.id) as ModelUpload;
      const { status, size, offset, generation, leaseHolder } = row;
      const wanted = {
        status: upload.status,
        size: upload.size,
        offset: upload.bytes.length,
        generation: upload.generation,
        leaseHolder: upload.lease?.holder ?? null,
      };
      assertSame({ status, size, offset, generation, leaseHolder }, wanted, `the row of ${row.id}`);
      assert.equal(row.storageKey === null, upload.isTombstone);
      if (status === 'deleting') continue;
      assert.equal(row.effects, status === 'complete' ? 1 : 0, `effects of the hook for ${row.id}`);
      await this.checkBytes(row, upload.bytes);
    }
    await this.checkNames(rows);
  }

  private async checkBytes(row: ChunkedUpload, bytes: Buffer): Promise<void> {
    const range = { start: 0, end: bytes.length };
    const stored = (await this.driver.read(storedUpload(row), range).toArray()) as Buffer[];
    assert.ok(Buffer.concat(stored).equals(bytes), `the acknowledged bytes of ${row.id}`);
  }

  private async checkNames(rows: readonly ChunkedUpload[]): Promise<void> {
    const owned = new Set(rows.filter(({ storageKey }) => storageKey !== null).map(({ id }) => id));
    const names = await this.storage.names();
    const orphans = names.filter((name) => ![...owned].some((id) => name.includes(id)));
    assertSame(orphans, [], 'bytes without a row');
  }

  /** Everything runs out and is cleaned: only what is complete is left. */
  async end(model: Model): Promise<void> {
    for (let round = 0; round < 2; round++) {
      await this.world.jump(25 * 3_600_000);
      await this.process.cleanup.run();
    }
    const left = (await this.rows()).filter(({ status, storageKey }) => {
      return status !== 'complete' && storageKey !== null;
    });
    assertSame(left, [], 'rows after everything expired and was cleaned');
    const complete = model.uploads.filter(({ status }) => status === 'complete');
    const names = await this.storage.names();
    assert.equal(names.length, complete.length, `files after everything expired: ${names.join(' ')}`);
  }
}
