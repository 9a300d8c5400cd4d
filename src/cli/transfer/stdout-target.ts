import { once } from 'node:events';
import { type DownloadTarget, TargetError } from './download-target.js';

/** Standard output: what was written cannot be taken back. */
export class StdoutTarget implements DownloadTarget {
  readonly path = null;
  private hasWritten = false;
  private isClosed = false;
  private readonly onError = () => (this.isClosed = true);

  open(): Promise<number> {
    process.stdout.on('error', this.onError);
    return Promise.resolve(0);
  }

  async write(bytes: Buffer): Promise<void> {
    if (this.isClosed) throw closedError();
    this.hasWritten = true;
    // Whoever reads may be slow: nothing piles up here. And whoever reads may have left.
    if (!process.stdout.write(bytes)) await once(process.stdout, 'drain').catch(() => this.onError());
  }

  startOver(): Promise<boolean> {
    return Promise.resolve(!this.hasWritten);
  }

  finish(): Promise<void> {
    return this.isClosed ? Promise.reject(closedError()) : Promise.resolve();
  }

  discard(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

function closedError(): TargetError {
  return new TargetError('stdout_closed', 'Whoever read from standard output stopped before the end.');
}
