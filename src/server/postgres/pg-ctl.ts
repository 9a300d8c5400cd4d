import { readFile, stat } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BootError, USE_OTHER_DATABASE } from '../boot-error.js';
import type { ClusterPlace } from './cluster-place.js';

const SETTINGS = [
  'listen_addresses=127.0.0.1',
  'unix_socket_directories=',
  // The log has no rotation: starts, stops and crashes, not every refused statement.
  'log_min_messages=log',
  'log_checkpoints=off',
];

const FAST_AND_FRAGILE = ['fsync=off', 'full_page_writes=off', 'synchronous_commit=off'];

/**
 * Starts the server and waits until it accepts connections.
 * @returns null when it came up, or may on a further attempt; else why it will not, unless another process was faster
 */
export async function launchServer(
  place: ClusterPlace,
  fixedPort: number | undefined,
  deadline: number,
): Promise<BootError | null> {
  const logFile = path.join(place.directory, place.logName);
  const logStart = await stat(logFile).then(
    ({ size }) => size,
    () => 0,
  );
  const port = fixedPort ?? (await freePort());
  const settings = place.durable ? SETTINGS : [...SETTINGS, ...FAST_AND_FRAGILE];
  const options = [`-p ${port}`, ...settings.map((setting) => `-c ${setting}`)].join(' ');
  // pg_ctl hands -D and -l to a shell; the data folder goes by variable, the log by a name in the current folder.
  const { ok, output } = await place.run(
    place.binaries.pgCtl,
    ['start', '--wait', '--timeout=60', `--log=${place.logName}`, `--options=${options}`],
    { PGDATA: place.data },
  );
  if (ok) return null;
  const log = await readFile(logFile).catch(() => Buffer.alloc(0));
  const printed = log.subarray(logStart).toString().trim() || output;
  if (!mayPass(printed, fixedPort) || Date.now() > deadline) return startFailure(place, port, printed);
  await sleep(200);
  return null;
}

/**
 * Stops the server, ending its connections, and waits until it is gone.
 * @returns what went wrong, or null
 */
export async function stopServer(place: ClusterPlace): Promise<string | null> {
  const args = ['stop', '--wait', '--timeout=60', '--mode=fast'];
  const { ok, output } = await place.run(place.binaries.pgCtl, args, { PGDATA: place.data });
  return ok ? null : output;
}

/**
 * Whether a further attempt may do better: another process was faster, or stopped the server as soon as it was up; the
 * port was just taken; the remains of a crash are still ending.
 */
function mayPass(printed: string, fixedPort: number | undefined): boolean {
  if (printed.includes('Address already in use')) return fixedPort === undefined;
  return /lock file .* already exists|pre-existing shared memory block|shutdown request/.test(printed);
}

function startFailure(place: ClusterPlace, port: number, printed: string): BootError {
  const message = `PostgreSQL did not start on ${place.directory}`;
  if (printed.includes('Address already in use')) {
    return new BootError(`${message}: port ${port} is taken.`, [
      'Choose another one, or none for any free one.',
    ]);
  }
  if (printed.includes('No space left on device')) {
    return new BootError(`${message}: the disk is full.`, ['Free some space, then start again.']);
  }
  if (printed.includes('incompatible with server')) {
    return new BootError(`${message}: another major version of PostgreSQL made the files.`, [
      'Check out the version of this project that made them, and save what is in them with pg_dump.',
      'Or start with an empty folder:  DATA_DIR=./my-data npm start',
    ]);
  }
  return new BootError(`${message}:\n${printed.split('\n').slice(-8).join('\n')}`, [
    `The whole log:  cat '${path.join(place.directory, place.logName)}'`,
    USE_OTHER_DATABASE,
  ]);
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
