import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ChunkedUploadOptions } from '../../../src/client/node.js';
import { ChunkedUpload, FileStore, UploadQueue, uploadKey } from '../../../src/client/node.js';
import { Agent, bytesOf, type FileSpec, type Library } from './agent.js';
import type { TestClient } from './test-client.js';

/** When all files of tests were changed last. */
const CHANGED_AT = new Date('2026-01-02T03:04:05.678Z');

/** The client in this process, with files on disk. */
export async function startNodeClient(origin: string): Promise<TestClient> {
  const folder = await mkdtemp(join(tmpdir(), 'client-'));
  const store = new FileStore(join(folder, 'store'));
  const written = new Map<string, string>();
  const pathOf = async (file: FileSpec) => {
    const path = join(folder, file.name);
    // An upload that is under way should not see its file change.
    if (written.get(path) === JSON.stringify(file)) return path;
    written.set(path, JSON.stringify(file));
    await writeFile(path, bytesOf(file));
    await utimes(path, CHANGED_AT, CHANGED_AT);
    return path;
  };
  const typed = (file: FileSpec, options: ChunkedUploadOptions) =>
    file.type === undefined ? options : { contentType: file.type, ...options };
  const library: Library = {
    store,
    create: async (file, options) => new ChunkedUpload(await pathOf(file), typed(file, options)),
    queue: (options) => {
      const queue = new UploadQueue(options);
      return {
        add: async (file) => queue.add(await pathOf(file)),
        pauseAll: () => queue.pauseAll(),
        resumeAll: () => queue.resumeAll(),
        cancelAll: () => queue.cancelAll(),
      };
    },
    key: async (file, options) => uploadKey(await pathOf(file), options),
  };
  return new NodeClient(library, `${origin}/upload`, folder);
}

class NodeClient implements TestClient {
  private agent: Agent;
  private begun: number[] = [];

  constructor(
    private readonly library: Library,
    private readonly endpoint: string,
    private readonly folder: string,
  ) {
    this.agent = new Agent(library, endpoint);
  }

  async begin(...args: Parameters<Agent['begin']>) {
    const id = await this.agent.begin(...args);
    this.begun.push(id);
    return id;
  }

  async enqueue(...args: Parameters<Agent['enqueue']>) {
    const ids = await this.agent.enqueue(...args);
    this.begun.push(...ids);
    return ids;
  }

  all = (...args: Parameters<Agent['all']>) => this.agent.all(...args);
  iterate = (...args: Parameters<Agent['iterate']>) => this.agent.iterate(...args);
  command = (...args: Parameters<Agent['command']>) => this.agent.command(...args);
  snapshot = (id: number) => Promise.resolve(this.agent.snapshot(id));
  remembered = (userId?: string | null) => this.agent.remembered(userId);
  key = (...args: Parameters<Agent['key']>) => this.agent.key(...args);

  /** A process cannot be ended here; kill.spec.ts does that. */
  async reopen() {
    for (const id of this.begun) await this.agent.command(id, 'abort');
    this.begun = [];
    this.agent = new Agent(this.library, this.endpoint);
  }

  setOffline(): Promise<void> {
    return Promise.reject(new Error('Node does not know whether it is offline.'));
  }

  async close() {
    await this.reopen();
    await rm(this.folder, { recursive: true, force: true });
  }
}
