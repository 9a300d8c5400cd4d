import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { RunCommand } from './command.js';
import { prepareDirectory } from './database-user.js';
import { findPostgresBinaries, type PostgresBinaries } from './postgres-binaries.js';

/**
 * One database on disk, and how to work on it:
 *
 *     <directory>/           0700, owned by the user that PostgreSQL runs as
 *       server.log           what the server printed
 *       creating-<pid>-…/    a database being made
 *       cluster/             complete since it exists
 *         password           0600
 *         data/              PostgreSQL's own files
 */
export interface ClusterPlace {
  readonly directory: string;
  readonly cluster: string;
  readonly data: string;
  /** Relative to the folder that commands run in, so that no shell ever sees the path. */
  readonly logName: string;
  readonly durable: boolean;
  readonly binaries: PostgresBinaries;
  readonly run: RunCommand;
}

/** Makes the folder where it is missing, and finds out how PostgreSQL can run on it. */
export async function openClusterPlace(directory: string, durable: boolean): Promise<ClusterPlace> {
  const absolute = path.resolve(directory);
  const binaries = await findPostgresBinaries();
  const cluster = path.join(absolute, 'cluster');
  return {
    directory: absolute,
    cluster,
    data: path.join(cluster, 'data'),
    logName: 'server.log',
    durable,
    binaries,
    run: await prepareDirectory(absolute, binaries.initdb),
  };
}

/** The URL of the server that listens on `port` for this database. */
export async function clusterUrl(place: ClusterPlace, port: number): Promise<string> {
  const password = (await readFile(path.join(place.cluster, 'password'), 'utf8')).trim();
  return `postgres://chunked_upload:${password}@127.0.0.1:${port}/postgres`;
}
