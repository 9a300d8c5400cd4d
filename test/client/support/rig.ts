import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ChunkedUploadOptions as ServerOptions } from '../../../src/index.js';
import { type AdapterName, startTestApp, type TestApp } from '../../support/test-app.js';
import { bytesOf, type FileSpec, type Outcome, type Snapshot } from './agent.js';
import { FaultProxy, type Local, type Seen } from './fault-proxy.js';
import type { StartClient, TestClient } from './test-client.js';

const DEADLINE_MS = 15_000;

/** A server, a client, and a network in between that fails as it is told. */
export class ClientRig {
  private constructor(
    readonly app: TestApp,
    readonly proxy: FaultProxy,
    readonly client: TestClient,
  ) {}

  static async start(
    startClient: StartClient,
    options: { upload?: Partial<ServerOptions>; adapter?: AdapterName; local?: Local } = {},
  ): Promise<ClientRig> {
    const { upload, adapter, local } = options;
    const app = await startTestApp({ ...(upload && { upload }), ...(adapter && { adapter }) });
    const proxy = await FaultProxy.start(app.origin, local);
    return new ClientRig(app, proxy, await startClient(proxy.origin));
  }

  /** Nothing uploads, nothing is stored, nothing fails. */
  async clear(): Promise<void> {
    this.proxy.reset();
    await this.client.reopen();
    // Requests that the client gave up may still be on their way into the database.
    do {
      await this.app.dataSource.query('DELETE FROM chunked_upload');
      await sleep(50);
    } while ((await this.app.rows()).length > 0 || this.proxy.isBusy);
    for (const file of await this.app.files()) await rm(join(this.app.root, file), { force: true });
  }

  async stop(): Promise<void> {
    await this.client.close();
    await this.proxy.stop();
    await this.app.close();
  }

  /** Uploads a file and gives how that ended. */
  async upload(...args: Parameters<TestClient['begin']>): Promise<Outcome> {
    return this.outcome(await this.client.begin(...args));
  }

  async outcome(id: number): Promise<Outcome> {
    return (await this.until(id, ({ outcome }) => outcome !== null)).outcome as Outcome;
  }

  /** Waits until an upload is as it should be. */
  async until(id: number, isSo: (snapshot: Snapshot) => boolean): Promise<Snapshot> {
    for (const deadline = Date.now() + DEADLINE_MS; ; await sleep(10)) {
      const snapshot = await this.client.snapshot(id);
      if (isSo(snapshot)) return snapshot;
      assert(Date.now() < deadline, `Waited in vain: ${String(isSo)} ${JSON.stringify(snapshot)}`);
    }
  }

  /** Waits until something holds. */
  async eventually(assertion: () => void | Promise<void>): Promise<void> {
    for (const deadline = Date.now() + DEADLINE_MS; ; await sleep(20)) {
      try {
        return await assertion();
      } catch (error) {
        if (Date.now() > deadline) throw error;
      }
    }
  }

  /** That exactly these files are stored, complete and whole. */
  async expectStored(...files: readonly FileSpec[]): Promise<void> {
    const rows = await this.app.rows();
    const facts = rows.map(
      ({ filename, status, size }) => `${String(filename)} ${String(status)} ${Number(size)}`,
    );
    assert.deepEqual(facts.sort(), files.map(({ name, bytes }) => `${name} complete ${bytes}`).sort());
    const paths = await this.app.files();
    for (const file of files) {
      const { id } = rows.find(({ filename }) => filename === file.name) as { id: string };
      const path = paths.find((each) => each.includes(id)) ?? 'no such file';
      const stored = await readFile(join(this.app.root, path));
      assert.equal(hashOf(stored), hashOf(bytesOf(file)), `${file.name} is not what was sent`);
    }
  }

  /** Requests of a method, but those that the client tried in vain to connect for. */
  requests(method: string, path = /^/): Seen[] {
    return this.proxy.seen.filter((seen) => seen.method === method && path.test(seen.path));
  }

  /** First bytes of the chunks that were sent, in order. */
  get starts(): number[] {
    return this.requests('PUT').map(({ headers }) =>
      Number(/bytes (\d+)-/.exec(String(headers['content-range']))?.[1]),
    );
  }

  /** Bytes of chunks that went through to the server. */
  get bytesSent(): number {
    return this.requests('PUT').reduce((sum, { bytes }) => sum + bytes, 0);
  }
}

function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
