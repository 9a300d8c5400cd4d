import { execFile } from 'node:child_process';
import { chmod, chown, lchown, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { BootError, USE_OTHER_DATABASE } from '../boot-error.js';
import { makeDirectory } from '../make-directory.js';
import { commandRunner, passingRunner, type RunCommand, type SystemUser } from './command.js';

/**
 * Makes the folder of the database, and says how the programs of PostgreSQL are run on it: as this process's user,
 * or, since PostgreSQL refuses root, as the folder's owner, `postgres` or `nobody`.
 * @throws BootError when no such user could work there.
 */
export async function prepareDirectory(directory: string, initdb: string): Promise<RunCommand> {
  await makeDirectory(directory, 0o700);
  const { uid, gid } = await stat(directory);
  const self = process.getuid?.();
  if (self !== 0) {
    if (self !== undefined && self !== uid) throw belongsToAnother(directory, uid);
    return commandRunner(directory);
  }
  const user = uid === 0 ? await unprivilegedUser() : { uid, gid };
  // Also an old folder: one that root restored from a copy belongs to root as a whole.
  if (uid === 0) await giveTo(user, directory);
  await chmod(directory, 0o700);
  return runnerForRoot(directory, initdb, user);
}

function belongsToAnother(directory: string, owner: number): BootError {
  return new BootError(`The database under ${directory} belongs to another user (uid ${owner}).`, [
    `An earlier start made it, most likely as root. Start as that user again:  sudo npm start`,
    'Or keep the data elsewhere:  DATA_DIR=./my-data npm start',
    `Or hand all of it over:  sudo chown -R "$(id -u):$(id -g)" '${path.dirname(directory)}'`,
  ]);
}

async function runnerForRoot(directory: string, initdb: string, user: SystemUser): Promise<RunCommand> {
  const plain = commandRunner(directory, user);
  const obstacle = await findObstacle(directory, initdb, plain);
  if (obstacle === null) return plain;
  const passing = passingRunner(directory, user);
  if ((await findObstacle(directory, initdb, passing)) === null) return passing;
  throw new BootError(
    `PostgreSQL does not run as root, and uid ${user.uid}, which runs it instead, cannot reach its files: ${obstacle}`,
    [
      `It must be able to enter every folder above ${path.dirname(initdb)}`,
      `and above ${directory}. For one that only root may enter:  chmod o+x <folder>`,
      'Or start as a normal user, or clone the project outside /root.',
      USE_OTHER_DATABASE,
    ],
  );
}

/** Tries it, as there are more reasons than permission bits: access lists, missing capabilities, mount options. */
async function findObstacle(directory: string, initdb: string, run: RunCommand): Promise<string | null> {
  const starts = await run(initdb, ['--version']);
  if (!starts.ok) return starts.output;
  const writes = await run('/bin/sh', ['-c', ': >> "$0"', path.join(directory, 'server.log')]);
  return writes.ok ? null : writes.output;
}

async function unprivilegedUser(): Promise<SystemUser> {
  for (const name of ['postgres', 'nobody']) {
    const [uid, gid] = await Promise.all([numericId('-u', name), numericId('-g', name)]);
    if (uid !== null && gid !== null) return { uid, gid };
  }
  throw new BootError(
    'PostgreSQL does not run as root, and there is neither a user `postgres` nor `nobody`.',
    ['Start as a normal user.', USE_OTHER_DATABASE],
  );
}

async function numericId(kind: '-u' | '-g', name: string): Promise<number | null> {
  const found = await promisify(execFile)('id', [kind, name]).catch(() => null);
  return found && Number(found.stdout);
}

async function giveTo(user: SystemUser, directory: string): Promise<void> {
  const entries = await readdir(directory, { recursive: true });
  for (const entry of entries) await lchown(path.join(directory, entry), user.uid, user.gid);
  await chown(directory, user.uid, user.gid);
}
