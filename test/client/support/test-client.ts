import type { StoredUpload, UploadProgress } from '../../../src/client/index.js';
import type { AgentOptions, Command, FileSpec, Snapshot } from './agent.js';

/** The client where it runs, as a test sees it. */
export interface TestClient {
  begin(file: FileSpec, options?: AgentOptions): Promise<number>;
  enqueue(files: readonly FileSpec[], concurrency: number, options?: AgentOptions): Promise<number[]>;
  all(command: 'pauseAll' | 'resumeAll' | 'cancelAll'): Promise<void>;
  iterate(file: FileSpec, options?: AgentOptions): Promise<{ seen: UploadProgress[]; end: string }>;
  command(id: number, command: Command): Promise<string | null>;
  snapshot(id: number): Promise<Snapshot>;
  remembered(userId?: string | null): Promise<StoredUpload[]>;
  key(file: FileSpec, options?: AgentOptions): Promise<string | null>;
  /** Everything ends as it is, and starts anew: the page is loaded again. Numbers of before mean nothing any more. */
  reopen(): Promise<void>;
  setOffline(isOffline: boolean): Promise<void>;
  close(): Promise<void>;
}

/** Makes a client for a server. */
export type StartClient = (proxyOrigin: string) => Promise<TestClient>;
