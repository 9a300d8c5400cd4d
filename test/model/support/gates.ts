import { Readable } from 'node:stream';
import type { AbstractChunkedUpload } from '../../../src/persistence/abstract-chunked-upload.entity.js';
import type { UploadRepositories } from '../../../src/persistence/upload-repositories.js';
import type {
  OpenCommit,
  StorageDriver,
  StorageWriter,
  StoredUpload,
} from '../../../src/storage/storage-driver.interface.js';

/** Stands before every call of a simulated process to its database and its storage. */
export interface Gate {
  /** Lets `work` through, or not. `half` is what a short write still does. */
  around<Result>(call: string, work: () => Promise<Result>, half?: () => Promise<unknown>): Promise<Result>;
}

export const openGate: Gate = { around: (_call, work) => work() };

/** The process died here; whatever it still tries has no effect. */
export class ProcessDied extends Error {}

/** Ends a process at its n-th call, before or after that call took effect. */
export class CrashGate implements Gate {
  isDead = false;
  private countdown = Infinity;
  private side: 'before' | 'after' = 'before';

  arm(at: number, side: 'before' | 'after'): void {
    this.countdown = at;
    this.side = side;
  }

  disarm(): void {
    this.countdown = Infinity;
  }

  async around<Result>(_call: string, work: () => Promise<Result>): Promise<Result> {
    if (!this.isDead && --this.countdown === 0) {
      if (this.side === 'after') await work();
      this.isDead = true;
    }
    if (this.isDead) throw new ProcessDied();
    return work();
  }
}

/** The repositories, every statement behind the gate. */
export function gatedRepositories<Entity extends AbstractChunkedUpload>(
  inner: UploadRepositories<Entity>,
  gate: Gate,
): UploadRepositories<Entity> {
  const { dataSource, required, uploads, leases, completions, removals } = inner;
  return {
    dataSource,
    required,
    uploads: gated('uploads', uploads, gate),
    leases: gated('leases', leases, gate),
    completions: gated('completions', completions, gate),
    removals: gated('removals', removals, gate),
    check: () => gate.around('check', () => inner.check()),
  } as unknown as UploadRepositories<Entity>;
}

function gated<Target extends object>(name: string, target: Target, gate: Gate): Target {
  return new Proxy(target, {
    get(object, property) {
      const method = Reflect.get(object, property) as (...values: unknown[]) => Promise<unknown>;
      return (...values: unknown[]) =>
        gate.around(`${name}.${String(property)}`, () => method.apply(object, values));
    },
  });
}

/** A driver, every call behind the gate. */
export function gatedDriver(inner: StorageDriver, gate: Gate): StorageDriver {
  return {
    capabilities: inner.capabilities,
    check: () => gate.around('check', () => inner.check()),
    append: async (upload, offset) =>
      gatedWriter(await gate.around('append', () => inner.append(upload, offset)), gate),
    size: (upload) => gate.around('size', () => inner.size(upload)),
    read: (upload, range) => Readable.from(gatedRead(gate, inner, [upload, range])),
    finish: (upload, size) => gate.around('finish', () => inner.finish(upload, size)),
    discard: (upload) => gate.around('discard', () => inner.discard(upload)),
  };
}

async function* gatedRead(
  gate: Gate,
  inner: StorageDriver,
  [upload, range]: [StoredUpload, { start: number; end: number }],
): AsyncGenerator<Buffer> {
  await gate.around('read', () => Promise.resolve());
  yield* inner.read(upload, range) as AsyncIterable<Buffer>;
}

/** `abort` and `published` promise never to fail: there a fault leaves out what they do. */
function gatedWriter(inner: StorageWriter, gate: Gate): StorageWriter {
  const never = (call: string, work: () => Promise<void>) => gate.around(call, work).catch(() => undefined);
  return {
    write: (buffers) =>
      gate.around(
        'write',
        () => inner.write(buffers),
        () => inner.write([Buffer.concat(buffers).subarray(0, 3)]),
      ),
    commit: (durable) => gate.around('commit', () => inner.commit(durable)),
    commitOpen: async (durable) => {
      const commit = async () => (await inner.commitOpen?.(durable)) as OpenCommit;
      const { state, next } = await gate.around('commit', commit);
      return { state, next: gatedWriter(next, gate) };
    },
    published: () => never('published', () => inner.published()),
    abort: () => never('abort', () => inner.abort()),
  };
}
