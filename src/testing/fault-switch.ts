import { UploadError } from '../errors/upload-error.js';
import type { StorageCall, StorageFault } from './fault-injecting.driver.js';

/** Counts calls and makes the one fail that is to. */
export class FaultSwitch {
  readonly calls: StorageCall[] = [];
  hasFailed = false;
  private fault: StorageFault | null = null;
  private countdown = 0;
  private readonly hanging = new Set<(error: Error) => void>();

  set(fault: StorageFault): void {
    this.clear();
    this.calls.length = 0;
    this.hasFailed = false;
    this.fault = fault;
    this.countdown = fault.at;
  }

  clear(): void {
    this.fault = null;
    for (const reject of this.hanging) reject(unavailable());
    this.hanging.clear();
  }

  /** Runs a call, or what becomes of it. `part` is what a short one still does. */
  async run<Result>(
    call: StorageCall,
    work: () => Promise<Result>,
    part: () => Promise<unknown> = () => Promise.resolve(),
  ): Promise<Result> {
    this.calls.push(call);
    const fault = this.strikes(call);
    if (!fault) return work();
    const { kind, error = kind === 'short' && call === 'write' ? noSpace : unavailable } = fault;
    if (kind === 'hang') await new Promise<never>((_, reject) => this.hanging.add(reject));
    if (kind === 'after') await work();
    if (kind === 'short') await part();
    throw error();
  }

  private strikes(call: StorageCall): StorageFault | null {
    const { fault } = this;
    if (!fault || this.hasFailed || (fault.calls && !fault.calls.includes(call))) return null;
    this.hasFailed = --this.countdown === 0;
    return this.hasFailed ? fault : null;
  }
}

function unavailable(): UploadError {
  return new UploadError('storage_unavailable', 'Injected fault.', { retryAfter: 1 });
}

function noSpace(): UploadError {
  return new UploadError('no_space', 'Injected fault.', { retryAfter: 1 });
}
