import { realpath, rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { BootError } from '../boot-error.js';
import { clusterUrl, openClusterPlace, type ClusterPlace } from './cluster-place.js';
import { ensureCluster } from './create-cluster.js';
import { launchServer, stopServer } from './pg-ctl.js';
import { PostgresSession } from './postgres-session.js';
import { inspectPostmaster, postmasterFile, readPostmaster, type Postmaster } from './postmaster.js';

/** What {@link startPostgres} takes. */
export interface StartPostgresOptions {
  /** Folder of the database: made when missing, kept over restarts. */
  readonly directory: string;
  /** Gets a line for a human about what takes long or is unusual. */
  readonly log: (line: string) => void;
  /** `false` gives up every guarantee against a crash for speed: for tests. @default true */
  readonly durable?: boolean;
  /** Where to listen on 127.0.0.1. @default a free port, or that of the server that runs already */
  readonly port?: number;
}

/** How {@link RunningPostgres.stop} treats connections. */
export interface StopPostgresOptions {
  /** Stops even if clients are connected that are no launcher, such as this process's own pool. @default false */
  readonly cut?: boolean;
}

/** A server that accepts connections. */
export interface RunningPostgres {
  /** With the password; for the superuser, who may create databases. */
  readonly url: string;
  /** Stops the server unless somebody else uses it; may be called twice. */
  readonly stop: (options?: StopPostgresOptions) => Promise<void>;
}

/** Recovery after a crash replays what was written since the last checkpoint: minutes at the very most. */
const PATIENCE_MS = 180_000;

/**
 * Starts the embedded PostgreSQL on a folder, or joins the server that runs there: another process's, or one that
 * outlived a process that was killed. Any number of processes may do so at the same moment.
 * @throws BootError with what to do when it cannot.
 */
export async function startPostgres(options: StartPostgresOptions): Promise<RunningPostgres> {
  const place = await openClusterPlace(options.directory, options.durable ?? true);
  await ensureCluster(place, options.log);
  const deadline = Date.now() + PATIENCE_MS;
  for (let failure: BootError | null = null; ;) {
    const joined = await join(place, deadline);
    if (joined) return runningPostgres(place, joined, options.log);
    if (failure) throw failure;
    failure = await launchServer(place, options.port, deadline);
  }
}

interface Joined {
  readonly url: string;
  readonly session: PostgresSession;
}

/** Connects to the server that runs on the folder; null when none does. Waits for one that starts up or shuts down. */
async function join(place: ClusterPlace, deadline: number): Promise<Joined | null> {
  for (;;) {
    const postmaster = await readPostmaster(place.data);
    if (postmaster === null) return null;
    const url = await clusterUrl(place, postmaster.port);
    try {
      const session = await PostgresSession.open(url);
      // A copied folder has the password, and the address, of the one it was copied from.
      if ((await realpath(await session.dataDirectory())) === (await realpath(place.data)))
        return { url, session };
      await session.close();
      await rm(postmasterFile(place.data), { force: true });
      return null;
    } catch (error) {
      if (!(await mayStillAnswer(place, postmaster))) return null;
      if ((error as { code?: string }).code === '28P01' || Date.now() > deadline) {
        throw doesNotAnswer(place, postmaster, error);
      }
      await sleep(100);
    }
  }
}

async function mayStillAnswer(place: ClusterPlace, postmaster: Postmaster): Promise<boolean> {
  const state = await inspectPostmaster(postmaster, place.data);
  // PostgreSQL itself sees that a process is gone, but takes any living one for a running server.
  if (state === 'foreign') await rm(postmasterFile(place.data), { force: true });
  return state === 'possible';
}

function doesNotAnswer(place: ClusterPlace, { pid }: Postmaster, cause: unknown): BootError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new BootError(
    `A PostgreSQL (process ${pid}) runs on ${place.directory}, but lets nobody in: ${reason}`,
    [
      `Its log:  tail '${place.directory}/${place.logName}'`,
      `Stop it, then start again:  kill ${pid}`,
      'Or keep the data elsewhere:  DATA_DIR=./my-data npm start',
    ],
    { cause },
  );
}

function runningPostgres(place: ClusterPlace, joined: Joined, log: (line: string) => void): RunningPostgres {
  const stop = async (cut: boolean): Promise<void> => {
    const current = joined.session.lost ? await join(place, Date.now()).catch(() => null) : joined;
    if (current === null) return;
    try {
      const sole = await current.session.becomeSoleUser(cut);
      const problem = sole ? await stopServer(place) : 'another program is connected to it.';
      if (problem !== null) log(`PostgreSQL keeps running: ${problem}`);
    } finally {
      await current.session.close();
    }
  };
  let stopping: Promise<void> | undefined;
  return { url: joined.url, stop: ({ cut = false } = {}) => (stopping ??= stop(cut)) };
}
