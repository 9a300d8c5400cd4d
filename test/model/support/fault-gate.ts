import { setImmediate as turn } from 'node:timers';
import { UploadError } from '../../../src/errors/upload-error.js';
import { type Gate, ProcessDied } from './gates.js';

export const FAULT_KINDS = ['before', 'after', 'short', 'hang', 'crash before', 'crash after'] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

const STORAGE_CALLS = new Set([
  'append',
  'write',
  'commit',
  'published',
  'abort',
  'size',
  'read',
  'finish',
  'discard',
]);

/** Fails one call: the k-th. */
export class FaultGate implements Gate {
  readonly calls: string[] = [];
  isDead = false;
  /** Settles when a call hangs. */
  readonly hanging: Promise<void>;
  private reportHanging: () => void = () => undefined;
  private release: () => void = () => undefined;

  constructor(
    private readonly at: number,
    private readonly kind: FaultKind,
  ) {
    this.hanging = new Promise((resolve) => (this.reportHanging = resolve));
  }

  /** The call that failed. */
  get struck(): string | undefined {
    return this.calls[this.at - 1];
  }

  async around<Result>(
    call: string,
    work: () => Promise<Result>,
    half?: () => Promise<unknown>,
  ): Promise<Result> {
    if (this.isDead) throw new ProcessDied();
    if (this.calls.push(call) !== this.at) return work();
    if (this.kind === 'hang') {
      await new Promise<void>((resolve) => {
        this.release = resolve;
        this.reportHanging();
      });
      return work();
    }
    if (this.kind === 'short') await half?.();
    if (this.kind.endsWith('after')) await work();
    if (this.kind.startsWith('crash')) {
      this.isDead = true;
      throw new ProcessDied();
    }
    throw this.kind === 'short' && half ? noSpace() : unavailable(call);
  }

  /** The call that hangs goes on, as late as this. */
  letGo(): void {
    this.release();
  }
}

function noSpace(): UploadError {
  return new UploadError('no_space', 'Injected.');
}

function unavailable(call: string): UploadError {
  const code = STORAGE_CALLS.has(call) ? 'storage_unavailable' : 'database_unavailable';
  return new UploadError(code, 'Injected.');
}

/** Lets everything that is ready run. */
export async function settle(turns = 5): Promise<void> {
  for (let at = 0; at < turns; at++) await new Promise((resolve) => turn(resolve));
}
