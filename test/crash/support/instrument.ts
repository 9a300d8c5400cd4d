import { createRequire, syncBuiltinESMExports } from 'node:module';
import type { Readable } from 'node:stream';
import type { DataSource } from 'typeorm';
import type {
  ByteRange,
  OpenCommit,
  StorageCapabilities,
  StorageDriver,
  StorageState,
  StorageWriter,
  StoredUpload,
} from '../../../src/storage/storage-driver.interface.js';
import type { FailpointName, Failpoints } from './failpoints.js';

/** A driver with a failpoint before and after every call that changes something. */
export class InstrumentedDriver implements StorageDriver {
  readonly capabilities: StorageCapabilities;

  constructor(
    private readonly inner: StorageDriver,
    private readonly failpoints: Failpoints,
  ) {
    this.capabilities = inner.capabilities;
  }

  check(): Promise<void> {
    return this.inner.check();
  }

  append(upload: StoredUpload, offset: number): Promise<StorageWriter> {
    return this.failpoints.around(
      'append',
      async () => new InstrumentedWriter(await this.inner.append(upload, offset), this.failpoints),
    );
  }

  size(upload: StoredUpload): Promise<number | null> {
    return this.inner.size(upload);
  }

  read(upload: StoredUpload, range: ByteRange): Readable {
    return this.inner.read(upload, range);
  }

  finish(upload: StoredUpload, size: number): Promise<StorageState> {
    return this.failpoints.around('finish', () => this.inner.finish(upload, size));
  }

  discard(upload: StoredUpload): Promise<void> {
    return this.failpoints.around('discard', () => this.inner.discard(upload));
  }
}

class InstrumentedWriter implements StorageWriter {
  constructor(
    private readonly inner: StorageWriter,
    private readonly failpoints: Failpoints,
  ) {}

  write(buffers: readonly Buffer[]): Promise<void> {
    return this.failpoints.around('write', async () => {
      const whole = Buffer.concat(buffers);
      const middle = whole.length >> 1;
      await this.inner.write([whole.subarray(0, middle)]);
      this.failpoints.reach('write', 'half');
      await this.inner.write([whole.subarray(middle)]);
    });
  }

  syncAhead(): void {
    this.inner.syncAhead?.();
  }

  commit(durable: boolean): Promise<StorageState> {
    return this.failpoints.around('sync', () => this.inner.commit(durable));
  }

  async commitOpen(durable: boolean): Promise<OpenCommit> {
    const commit = async () => (await this.inner.commitOpen?.(durable)) as OpenCommit;
    const { state, next } = await this.failpoints.around('sync', commit);
    return { state, next: new InstrumentedWriter(next, this.failpoints) };
  }

  published(): Promise<void> {
    return this.failpoints.around('published', () => this.inner.published());
  }

  abort(): Promise<void> {
    return this.inner.abort();
  }
}

/** Which statement is which; the suites fail when one of these is never met again. */
const STATEMENTS: readonly [FailpointName, RegExp][] = [
  ['insert', /^INSERT INTO "chunked_upload"/],
  ['claim', /^UPDATE "?chunked_upload"? SET lease_token = \$1/],
  ['commit', /^UPDATE "?chunked_upload"? SET "offset" = \$3/],
  ['completing', /^UPDATE "?chunked_upload"? SET status = 'completing'/],
  ['complete', /^UPDATE "?chunked_upload"? SET status = 'complete'/],
  ['effect', /^INSERT INTO effect/],
  ['end', /^COMMIT$/],
  ['remove', /^DELETE FROM "?chunked_upload"?/],
];

/** What is used of a connection of `pg`. */
interface Connection {
  query(statement: string | { readonly text: string }, ...values: unknown[]): Promise<unknown>;
}

/** Puts failpoints around the statements of a data source, those of its transactions included. */
export function instrumentDataSource(dataSource: DataSource, failpoints: Failpoints): void {
  const createQueryRunner = dataSource.createQueryRunner.bind(dataSource);
  dataSource.createQueryRunner = (mode) => {
    const runner = createQueryRunner(mode);
    const connect = runner.connect.bind(runner) as () => Promise<Connection>;
    runner.connect = async () => {
      const connection = await connect();
      const query: Connection['query'] = (statement, ...values) => {
        const text = (typeof statement === 'string' ? statement : statement.text).trim();
        const name = STATEMENTS.find(([, pattern]) => pattern.test(text))?.[0];
        const run = () => connection.query(statement, ...values);
        return name ? failpoints.around(name, run) : run();
      };
      return Object.assign(Object.create(connection) as Connection, { query });
    };
    return runner;
  };
}

type AsyncCall = (...given: unknown[]) => Promise<unknown>;

/** Puts failpoints around system calls that the driver's interface does not show: `rename(2)`, and the copy of a fork. */
export function instrumentFileSystem(failpoints: Failpoints): void {
  const files = createRequire(import.meta.url)('node:fs/promises') as {
    rename: AsyncCall;
    copyFile: AsyncCall;
  };
  const { rename, copyFile } = files;
  files.rename = (...given) => failpoints.around('rename', () => rename(...given));
  files.copyFile = (...given) => failpoints.around('fork', () => copyFile(...given));
  // What was imported by name from the module follows.
  syncBuiltinESMExports();
}
