import { execFile } from 'node:child_process';
import { readFile, readlink, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

/** What a server writes into `postmaster.pid` in its data folder, line by line, as it comes up. */
export interface Postmaster {
  /** `NaN` while the file is empty. */
  readonly pid: number;
  /** `NaN` while the line is missing. */
  readonly port: number;
}

/** An empty file this old is what a power cut left of a start; PostgreSQL itself cannot tell, and refuses. */
const EMPTY_FOR_GOOD_MS = 5_000;

/** Reads `postmaster.pid`; null without one. A server that was killed leaves it behind. */
export async function readPostmaster(dataDirectory: string): Promise<Postmaster | null> {
  const text = await readFile(postmasterFile(dataDirectory), 'utf8').catch(ignoreMissing);
  if (text === null) return null;
  const lines = text.split('\n');
  return {
    pid: Math.abs(Number.parseInt(lines[0] ?? '', 10)),
    port: Number.parseInt(lines[3] ?? '', 10),
  };
}

/** Where a server notes that it runs on this folder. */
export function postmasterFile(dataDirectory: string): string {
  return path.join(dataDirectory, 'postmaster.pid');
}

/**
 * Whether `postmaster.pid` may name the server of this data folder: `gone` when no such process exists, `foreign`
 * when the process id went to something else since. In doubt it may be: a second server on one folder destroys it.
 */
export async function inspectPostmaster(
  { pid }: Postmaster,
  dataDirectory: string,
): Promise<'possible' | 'foreign' | 'gone'> {
  if (Number.isNaN(pid)) {
    const written = await stat(postmasterFile(dataDirectory)).catch(ignoreMissing);
    if (written === null) return 'gone';
    return Date.now() - written.mtimeMs < EMPTY_FOR_GOOD_MS ? 'possible' : 'foreign';
  }
  if (!isAlive(pid)) return 'gone';
  const facts = process.platform === 'linux' ? await linuxFacts(pid) : await psFacts(pid);
  if (facts === null) return 'possible';
  const { uid } = await stat(dataDirectory);
  if (facts.zombie || !facts.name.includes('postgres') || (facts.uid !== null && facts.uid !== uid)) {
    return 'foreign';
  }
  const runsIn = await readlink(`/proc/${pid}/cwd`).catch(() => null);
  return runsIn === null || runsIn === (await realpath(dataDirectory)) ? 'possible' : 'foreign';
}

/** Whether a process with this id exists, whoever owns it. */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

interface ProcessFacts {
  readonly name: string;
  readonly zombie: boolean;
  readonly uid: number | null;
}

async function linuxFacts(pid: number): Promise<ProcessFacts | null> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => null);
  if (status === null) return null;
  const field = (name: string): string => new RegExp(`^${name}:\\s*(\\S+)`, 'm').exec(status)?.[1] ?? '';
  return { name: field('Name'), zombie: field('State') === 'Z', uid: Number(field('Uid')) };
}

async function psFacts(pid: number): Promise<ProcessFacts | null> {
  const listing = await promisify(execFile)('ps', ['-o', 'comm=', '-p', String(pid)]).catch(() => null);
  return listing && { name: listing.stdout, zombie: false, uid: null };
}

function ignoreMissing(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT') return null;
  throw error;
}
