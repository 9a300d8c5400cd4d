/** Where a server can be made to stop: before and after every call that another process, or a restart, may see half done. */
export const FAILPOINTS = [
  'insert',
  'claim',
  'append',
  'fork',
  'write',
  'sync',
  'commit',
  'published',
  'completing',
  'finish',
  'rename',
  'complete',
  'effect',
  'end',
  'discard',
  'remove',
  'answer',
] as const;

export type FailpointName = (typeof FAILPOINTS)[number];

/** `half`: of a write, when half of it is done. */
export type FailpointSide = 'before' | 'half' | 'after';

/** What ends or stops the process, and when. */
export interface Failpoint {
  readonly at: `${FailpointName}.${FailpointSide}`;
  /** The how manieth time it comes by, counted from 1 since it was armed. */
  readonly hit: number;
  readonly signal: 'SIGKILL' | 'SIGSTOP';
}

/** The one failpoint of this process. */
export class Failpoints {
  private armed: Failpoint | null = null;
  private countdown = 0;

  arm(failpoint: Failpoint | null): void {
    this.armed = failpoint;
    this.countdown = failpoint?.hit ?? 0;
  }

  /** Here the process ends, or stops until somebody lets it go on, when this is the armed failpoint's hit. */
  reach(name: FailpointName, side: FailpointSide): void {
    if (this.armed?.at !== `${name}.${side}` || --this.countdown > 0) return;
    const { signal } = this.armed;
    this.armed = null;
    // A signal of a process to itself is delivered before kill(2) returns.
    process.kill(process.pid, signal);
  }

  async around<Result>(name: FailpointName, work: () => Promise<Result>): Promise<Result> {
    this.reach(name, 'before');
    const result = await work();
    this.reach(name, 'after');
    return result;
  }
}
