import { join } from 'node:path';
import { size, visible } from '../text.js';
import { Download } from './download.js';
import type { DownloadTarget } from './download-target.js';
import { HttpClient } from './http-client.js';
import { HttpRetries } from './http-retries.js';
import { PartFile } from './part-file.js';
import { describeRemote, type RemoteFile } from './remote-file.js';
import type { ServerAddress } from './server-access.js';
import { StdoutTarget } from './stdout-target.js';
import { span } from './terminal-text.js';
import type { TransferBoard } from './transfer-board.js';
import { type TransferFailure, transferFailure } from './transfer-failure.js';
import type { Transfer } from './transfer.js';

/** Where downloads go: into a folder by the names their uploads have, into one file, or to standard output. */
export type Destination =
  { readonly folder: string } | { readonly file: string } | { readonly isStdout: true };

/** What all downloads of a command have in common. */
export interface GetSettings {
  readonly destination: Destination;
  /** Existing files may be replaced. */
  readonly isForced: boolean;
  readonly retries: number;
  readonly signal: AbortSignal;
  readonly board: TransferBoard;
}

/** What became of one download, as `--json` prints it. */
export interface GetOutcome {
  readonly url: string;
  readonly status: 'complete' | 'failed' | 'interrupted';
  /** Where the file is; null on standard output, and while nothing is known of it. */
  readonly path: string | null;
  /** Where bytes were kept to go on from; null where none were. */
  readonly part: string | null;
  readonly size: number | null;
  readonly resumedFrom: number;
  /** Algorithms of the checksums that were compared; empty where the server had none. */
  readonly verified: readonly string[];
  readonly seconds: number;
  readonly error: TransferFailure | null;
}

/** Downloads one file; whatever goes wrong is in the outcome. */
export async function getFile(address: ServerAddress, settings: GetSettings): Promise<GetOutcome> {
  const { board, signal } = settings;
  const startedAt = Date.now();
  const transfer = board.begin(visible(address.url.pathname), null);
  let [remote, target]: [RemoteFile | null, DownloadTarget | null] = [null, null];
  const outcome = (status: GetOutcome['status'], rest: Partial<GetOutcome>): GetOutcome => ({
    url: address.url.href,
    status,
    path: target?.path ?? null,
    part: null,
    size: remote?.sizeBytes ?? null,
    resumedFrom: 0,
    verified: [],
    seconds: (Date.now() - startedAt) / 1000,
    error: null,
    ...rest,
  });
  try {
    const http = new HttpClient(address.headers, signal);
    const retries = retriesOf(settings, transfer);
    remote = await describeRemote(address.url, http, retries);
    transfer.name = visible(remote.filename);
    transfer.progress(0, remote.sizeBytes);
    target = targetOf(remote, settings);
    const done = await new Download({ remote, target, http, retries, transfer }).run();
    const { sizeBytes, resumedFrom, verified } = done;
    return outcome('complete', { size: sizeBytes, resumedFrom, verified });
  } catch (error) {
    const part = target instanceof PartFile && target.keptBytes > 0 ? target.partPath : null;
    if (signal.aborted) return outcome('interrupted', { part });
    return outcome('failed', { part, error: transferFailure(error) });
  } finally {
    board.end(transfer);
  }
}

/** One line about a file that is there now. */
export function describeDownload({ path, size: bytes, seconds, verified, resumedFrom }: GetOutcome): string {
  const checked =
    verified.length > 0 ? `${verified.join(', ')} verified` : 'not verified: the server has no checksum';
  const resumed = resumedFrom > 0 ? `, went on at ${size(resumedFrom)}` : '';
  return `${visible(path ?? 'standard output')}  ${size(bytes ?? 0)} in ${span(seconds)}${resumed}, ${checked}`;
}

function retriesOf({ retries, signal }: GetSettings, transfer: Transfer): HttpRetries {
  const onWait = (delayMs: number | null) => {
    transfer.note = delayMs === null ? null : `retry in ${span(delayMs / 1000)}`;
  };
  return new HttpRetries({ retries, signal, onWait });
}

function targetOf(remote: RemoteFile, { destination, isForced }: GetSettings): DownloadTarget {
  if ('isStdout' in destination) return new StdoutTarget();
  const path = 'file' in destination ? destination.file : join(destination.folder, remote.filename);
  return new PartFile(path, remote, isForced);
}
