import { randomUUID } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { systemCode } from '../errors/system-code.js';

/** A process, told apart from every other one on its host, past and present. */
interface Process {
  /** The running kernel and process namespace; pids mean nothing outside. */
  readonly host: string;
  readonly pid: number;
  /** When the process started, in kernel ticks: pids are used again. */
  readonly startedAt: string;
  /** One of several engines in the process. */
  readonly instance: string;
}

function readOr(fallback: string, read: () => string): string {
  try {
    return read().trim();
  } catch {
    return fallback;
  }
}

/** Start time of a process, field 22 of proc_pid_stat(5); null where there is no such process, or no /proc. */
function startTimeOf(pid: number): string | null {
  const stat = readOr('', () => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  // The second field, the command, is in parentheses and may hold anything, blanks and parentheses included.
  const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // A zombie has ended, its parent has only not asked yet.
  return state === 'Z' ? 'ended' : (fields[18] ?? null);
}

const host = [
  readOr(hostname(), () => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')),
  readOr('', () => readlinkSync('/proc/self/ns/pid')),
].join(' ');

/**
 * Who holds a lease, written into the row, so that a restarted server need not wait for its dead predecessor. Only proof
 * counts: a process that cannot be seen from here is taken for alive, and its lease runs out by itself.
 */
export class LeaseHolder {
  private readonly self: Process = {
    host,
    pid: process.pid,
    startedAt: startTimeOf(process.pid) ?? '',
    instance: randomUUID(),
  };

  /** This holder as stored in a row. */
  readonly name = JSON.stringify(Object.values(this.self));

  isSelf(name: string): boolean {
    return name === this.name;
  }

  /** Whether the process that `name` stands for provably ended. */
  isGone(name: string): boolean {
    const other = parse(name);
    if (!other || other.host !== host) return false;
    const startedAt = startTimeOf(other.pid);
    if (startedAt !== null) return startedAt !== other.startedAt;
    try {
      process.kill(other.pid, 0);
      return false;
    } catch (error) {
      return systemCode(error) === 'ESRCH';
    }
  }
}

function parse(name: string): Process | null {
  try {
    const [theirHost, pid, startedAt, instance] = JSON.parse(name) as unknown[];
    if (typeof theirHost !== 'string' || typeof pid !== 'number') return null;
    return { host: theirHost, pid, startedAt: String(startedAt), instance: String(instance) };
  } catch {
    return null;
  }
}
