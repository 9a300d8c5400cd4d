import type {
  ChunkedUploadError,
  ChunkedUploadOptions,
  ResumeStore,
  StoredUpload,
  UploadProgress,
  UploadResult,
} from '../../../src/client/index.js';

/** A file of a test: the same bytes wherever they are made. */
export interface FileSpec {
  readonly name: string;
  readonly bytes: number;
  /** Makes its bytes. @default 1 */
  readonly seed?: number;
  readonly type?: string;
  /** These bytes are different, and nothing else. */
  readonly altered?: readonly [from: number, to: number];
}

/** Options that can be sent to a page. */
export type AgentOptions = Omit<
  Partial<ChunkedUploadOptions>,
  'store' | 'signal' | 'headers' | 'endpoint' | 'uploadUrl'
> & {
  readonly endpoint?: string;
  readonly uploadUrl?: string;
  readonly remembers?: boolean;
  /** Asked for headers, the client says the first of these; when nobody is signed in, the next. */
  readonly tokens?: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
};

/** How an upload is doing. */
export interface Snapshot extends UploadProgress {
  readonly url: string | null;
  /** `name` or `name:detail`, in the order they came. */
  readonly events: readonly string[];
  readonly outcome: Outcome | null;
}

/** How it ended. */
export type Outcome =
  | { readonly result: UploadResult }
  | { readonly code: string; readonly message: string; readonly isRetryable: boolean };

interface Upload extends AsyncIterable<UploadProgress> {
  readonly progress: UploadProgress;
  readonly url: string | null;
  start(): Promise<UploadResult>;
  pause(): void;
  resume(): void;
  cancel(): Promise<void>;
  on(name: never, listener: (event: never) => void): () => void;
}

/** What an agent does its work with: the client for this platform. */
export interface Library {
  create(file: FileSpec, options: ChunkedUploadOptions): Upload | Promise<Upload>;
  queue(options: ChunkedUploadOptions & { concurrency: number }): {
    add(file: FileSpec): Upload | Promise<Upload>;
    pauseAll(): void;
    resumeAll(): void;
    cancelAll(): Promise<void>;
  };
  key(file: FileSpec, options: ChunkedUploadOptions): Promise<string | null>;
  readonly store: ResumeStore;
}

/** What an agent does about an upload. */
export type Command = 'start' | 'pause' | 'resume' | 'cancel' | 'abort';

/** Uses the client where it runs, in this process or in a page, for a test that knows neither. */
export class Agent {
  private readonly uploads = new Map<number, { upload: Upload; stop: AbortController; events: string[] }>();
  private readonly outcomes = new Map<number, Outcome>();
  private readonly queues: ReturnType<Library['queue']>[] = [];
  private count = 0;

  constructor(
    private readonly library: Library,
    private readonly endpoint: string,
  ) {}

  /** Starts an upload, and gives its number. */
  async begin(file: FileSpec, options: AgentOptions = {}): Promise<number> {
    const stop = new AbortController();
    const upload = await this.library.create(file, this.options(options, stop.signal));
    const id = this.watch(upload, stop);
    this.settle(id, upload.start());
    return id;
  }

  /** Adds files to a new queue, and gives their numbers. */
  async enqueue(
    files: readonly FileSpec[],
    concurrency: number,
    options: AgentOptions = {},
  ): Promise<number[]> {
    const stop = new AbortController();
    const queue = this.library.queue({ ...this.options(options, stop.signal), concurrency });
    this.queues.push(queue);
    const ids: number[] = [];
    for (const file of files) {
      const upload = await queue.add(file);
      const id = this.watch(upload, stop);
      this.settle(id, upload.start());
      ids.push(id);
    }
    return ids;
  }

  async all(command: 'pauseAll' | 'resumeAll' | 'cancelAll'): Promise<void> {
    await this.queues.at(-1)?.[command]();
  }

  /** Iterates over an upload, and gives what it saw; the last is `end`, or the code of an error. */
  async iterate(
    file: FileSpec,
    options: AgentOptions = {},
  ): Promise<{ seen: UploadProgress[]; end: string }> {
    const seen: UploadProgress[] = [];
    const upload = await this.library.create(file, this.options(options, new AbortController().signal));
    try {
      for await (const progress of upload) seen.push(progress);
      return { seen, end: 'end' };
    } catch (error) {
      return { seen, end: (error as ChunkedUploadError).code };
    }
  }

  /** Gives the code of an error, or null. */
  async command(id: number, command: Command): Promise<string | null> {
    const { upload, stop } = this.uploads.get(id) as { upload: Upload; stop: AbortController };
    if (command === 'abort') stop.abort();
    else if (command === 'start') this.settle(id, upload.start());
    else if (command !== 'cancel') upload[command]();
    else
      return upload.cancel().then(
        () => null,
        (error: unknown) => (error as ChunkedUploadError).code,
      );
    return null;
  }

  snapshot(id: number): Snapshot {
    const { upload, events } = this.uploads.get(id) as { upload: Upload; events: string[] };
    return { ...upload.progress, url: upload.url, events, outcome: this.outcomes.get(id) ?? null };
  }

  remembered(userId: string | null = null): Promise<StoredUpload[]> {
    return this.library.store.list(userId);
  }

  key(file: FileSpec, options: AgentOptions = {}): Promise<string | null> {
    return this.library.key(file, this.options(options, new AbortController().signal));
  }

  private options(
    { remembers = false, tokens, headers, ...rest }: AgentOptions,
    signal: AbortSignal,
  ): ChunkedUploadOptions {
    let token = 0;
    const ask = (reason: 'request' | 'unauthorized') => {
      if (reason === 'unauthorized') token += 1;
      return Promise.resolve({ Authorization: tokens?.[Math.min(token, tokens.length - 1)] ?? '' });
    };
    return {
      endpoint: this.endpoint,
      chunkBytes: 256 * 1024,
      store: remembers && this.library.store,
      signal,
      ...rest,
      retry: { minDelayMs: 20, maxDelayMs: 200, ...rest.retry },
      ...(tokens ? { headers: ask } : headers && { headers }),
    };
  }

  private watch(upload: Upload, stop: AbortController): number {
    const id = this.count++;
    const events: string[] = [];
    const on = (name: string, tell: (event: never) => unknown) =>
      upload.on(name as never, (event: never) => events.push(`${name}:${String(tell(event))}`));
    on('statechange', (state) => state);
    on('created', ({ isResumed }: { isResumed: boolean }) => (isResumed ? 'resumed' : 'new'));
    on('chunk', ({ start, end }: { start: number; end: number }) => `${start}-${end}`);
    on('retry', ({ error }: { error: ChunkedUploadError }) => error.code);
    on('error', ({ code }: ChunkedUploadError) => code);
    on('complete', ({ size }: UploadResult) => size);
    on('cancel', () => '');
    this.uploads.set(id, { upload, stop, events });
    return id;
  }

  private settle(id: number, running: Promise<UploadResult>): void {
    this.outcomes.delete(id);
    running.then(
      (result) => this.outcomes.set(id, { result }),
      ({ code, message, isRetryable }: ChunkedUploadError) =>
        this.outcomes.set(id, { code, message, isRetryable }),
    );
  }
}

/** The bytes of a file, from its seed (xorshift32). */
export function bytesOf({ bytes, seed = 1, altered }: FileSpec): Uint8Array<ArrayBuffer> {
  const content = new Uint8Array(bytes);
  let word = seed * 2654435761 || 1;
  for (let index = 0; index < bytes; index++) {
    word ^= word << 13;
    word ^= word >>> 17;
    word ^= word << 5;
    content[index] = word;
  }
  return altered ? content.fill(7, ...altered) : content;
}
