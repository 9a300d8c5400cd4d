import { UploadError } from '../errors/upload-error.js';
import { busy } from './refusal.js';

/** How long writes that are cut off may take to sync and commit what they have. */
export const SETTLE_MS = 3_000;

/** Why a running write is asked to stop, and whether what it received so far is still wanted. */
export class StopRequest {
  constructor(
    readonly error: UploadError,
    readonly keepsPrefix: boolean,
  ) {}
}

/** One write of this process, from its claim to its commit or release. */
export interface ActiveWrite {
  readonly token: string;
  readonly start: number;
  readonly signal: AbortSignal;
  /** False once its bytes are in, and only the commit is to come. */
  isReceiving: boolean;
  /** Ends it, while it still receives; later it can only be waited for. */
  stop(request: StopRequest): void;
  /** Settles, without error, when the lease is given back. */
  readonly settled: Promise<void>;
  /** Call once, last. */
  leave(): void;
}

/** The writes of this process, so that a newer request can take over from an older one, and shutdown can wait. */
export class ActiveWrites {
  private readonly byUpload = new Map<string, ActiveWrite>();
  private readonly tokens = new Set<string>();
  private isClosed = false;

  get(uploadId: string): ActiveWrite | undefined {
    return this.byUpload.get(uploadId);
  }

  /** Notes that this process uses `token`, from before it is asked for: whatever else it has in a row lingers, or is a leftover. */
  hold(token: string): void {
    this.tokens.add(token);
  }

  /** Whether this process still uses `token`. */
  holds(token: string): boolean {
    return this.tokens.has(token);
  }

  /** Notes that the lease was not granted, or given back. */
  drop(token: string): void {
    this.tokens.delete(token);
  }

  enter(uploadId: string, token: string, start: number): ActiveWrite {
    const controller = new AbortController();
    const { promise: settled, resolve } = withResolvers();
    const write: ActiveWrite = {
      token,
      start,
      signal: controller.signal,
      isReceiving: true,
      stop: (request) => controller.abort(request),
      settled,
      leave: () => {
        if (this.byUpload.get(uploadId) === write) this.byUpload.delete(uploadId);
        this.drop(token);
        resolve();
      },
    };
    this.byUpload.set(uploadId, write);
    if (this.isClosed) write.stop(new StopRequest(shuttingDown(), true));
    return write;
  }

  /**
   * Ends the running write of an upload for a newer request that starts at `start`, and waits for it to settle. What the
   * older one received is kept when the newer one goes on behind it, and dropped when it sends the same bytes again.
   */
  async takeOver(uploadId: string, start: number): Promise<void> {
    const write = this.byUpload.get(uploadId);
    if (!write || start < write.start) return;
    write.stop(new StopRequest(takenOver(), start > write.start));
    await settle(write);
  }

  /** Ends a write for a newer request in another process, which waits for the lease that `token` proves. */
  letGo(uploadId: string, token: string, start: number): void {
    const write = this.byUpload.get(uploadId);
    if (write?.token !== token || start < write.start) return;
    write.stop(new StopRequest(takenOver(), start > write.start));
  }

  /** Ends every write and waits until all have settled: those that are not done within `graceMs` are cut off. */
  async drain(graceMs: number): Promise<void> {
    await within(graceMs, this.settled());
    this.isClosed = true;
    for (const write of this.byUpload.values()) write.stop(new StopRequest(shuttingDown(), true));
    // A storage that hangs would hold the process: what it does to these chunks, nobody was told.
    await within(SETTLE_MS, this.settled());
  }

  private async settled(): Promise<void> {
    await Promise.all([...this.byUpload.values()].map((write) => write.settled));
  }
}

/** Waits until a write has given its lease back; not for ever, as a storage that hangs must not hold others too. */
export function hasSettled({ settled }: ActiveWrite): Promise<boolean> {
  return within(SETTLE_MS, settled);
}

/** The same. @throws UploadError `busy` when it has not. */
export async function settle(write: ActiveWrite): Promise<void> {
  if (!(await hasSettled(write))) throw busy(null);
}

/** Whether `work` was done in time. */
export async function within(ms: number, work: Promise<void>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => (timer = setTimeout(resolve, ms, false)));
  const isDone = await Promise.race([work.then(() => true), late]);
  clearTimeout(timer);
  return isDone;
}

function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}

/** The error of a write that a newer request ended, or whose lease another process took. */
export function takenOver(): UploadError {
  return new UploadError(
    'taken_over',
    'Another request took over this upload. Ask for its offset before going on.',
    {
      retryAfter: 1,
    },
  );
}

/** The error of requests while the server closes. */
export function shuttingDown(): UploadError {
  return new UploadError(
    'shutting_down',
    'The server is stopping. Ask for the offset and go on in a moment.',
    {
      retryAfter: 5,
    },
  );
}
