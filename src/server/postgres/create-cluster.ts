import { randomBytes } from 'node:crypto';
import { chown, mkdir, open, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BootError, USE_OTHER_DATABASE } from '../boot-error.js';
import type { ClusterPlace } from './cluster-place.js';
import { isAlive } from './postmaster.js';

/** Attempts of this process that are under way: its id alone does not tell them from those of a dead namesake. */
const ownAttempts = new Set<string>();

const ATTEMPT = /^creating-(\d+)-[0-9a-f]+$/;

/** Longer than any initdb: an attempt this old has died, and its process id belongs to something else. */
const LONGEST_ATTEMPT_MS = 120_000;

/** An initdb whose parent was killed may still be writing; it ends when it misses its files. */
const REMOVE_FIRMLY = { recursive: true, force: true, maxRetries: 30, retryDelay: 100 };

/**
 * Creates the database files unless they are there. They are made in a folder beside and renamed when complete, so
 * an attempt that was killed leaves nothing half done, and of two that raced one wins.
 */
export async function ensureCluster(place: ClusterPlace, log: (line: string) => void): Promise<void> {
  while (!(await exists(place.cluster))) {
    if (await attemptOfAnother(place.directory)) {
      await sleep(100);
      continue;
    }
    const attempt = path.join(place.directory, `creating-${process.pid}-${randomBytes(4).toString('hex')}`);
    ownAttempts.add(path.basename(attempt));
    try {
      await mkdir(attempt, { mode: 0o700 });
      // Whoever sees nobody else after showing itself goes on: that is at most one.
      if (await attemptOfAnother(place.directory, attempt)) await sleep(50 + Math.random() * 200);
      else if (!(await exists(place.cluster))) await createCluster(place, attempt, log);
    } finally {
      await rm(attempt, REMOVE_FIRMLY);
      ownAttempts.delete(path.basename(attempt));
    }
  }
}

async function createCluster(
  place: ClusterPlace,
  attempt: string,
  log: (line: string) => void,
): Promise<void> {
  log(`Creating the database under ${place.directory} (once, ~2 s)`);
  const owner = await stat(place.directory);
  const passwordFile = path.join(attempt, 'password');
  await writeFile(passwordFile, randomBytes(24).toString('hex'), { mode: 0o600, flush: true });
  if (process.getuid?.() === 0) {
    for (const made of [passwordFile, attempt]) await chown(made, owner.uid, owner.gid);
  }
  const { ok, output } = await place.run(place.binaries.initdb, [
    `--pgdata=${path.join(attempt, 'data')}`,
    '--username=chunked_upload',
    '--auth=scram-sha-256',
    `--pwfile=${passwordFile}`,
    '--encoding=UTF8',
    '--locale=C',
    ...(place.durable ? [] : ['--no-sync']),
  ]);
  if (!ok) throw initdbFailure(place, output);
  await rename(attempt, place.cluster).catch(ignoreLostRace);
  if (place.durable) await syncDirectory(place.directory);
}

/** Removes what dead processes left, and tells whether a living one is at it. */
async function attemptOfAnother(directory: string, mine = ''): Promise<boolean> {
  for (const name of await readdir(directory)) {
    const pid = Number(ATTEMPT.exec(name)?.[1]);
    if (Number.isNaN(pid) || name === path.basename(mine)) continue;
    const attempt = path.join(directory, name);
    const madeAt = await stat(attempt)
      .then(({ mtimeMs }) => mtimeMs)
      .catch(() => 0);
    const living = pid === process.pid ? ownAttempts.has(name) : isAlive(pid);
    if (living && Date.now() - madeAt < LONGEST_ATTEMPT_MS) return true;
    if (!living) await rm(attempt, REMOVE_FIRMLY);
  }
  return false;
}

function initdbFailure(place: ClusterPlace, output: string): BootError {
  if (output.includes('No space left on device')) {
    return new BootError(`The disk is full: no room for a database under ${place.directory}.`, [
      'It takes about 40 MB. Free some space, or keep the data elsewhere:  DATA_DIR=/other/disk npm start',
    ]);
  }
  return new BootError(`The database could not be created under ${place.directory}: ${output}`, [
    'Keep the data elsewhere:  DATA_DIR=./my-data npm start',
    USE_OTHER_DATABASE,
  ]);
}

function ignoreLostRace(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
}

/** A rename outlives a power cut only when the folder it happened in was synced. */
async function syncDirectory(directory: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(directory);
  await handle.sync().finally(() => handle.close());
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return false;
      throw error;
    },
  );
}
