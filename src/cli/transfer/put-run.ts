import { lookup } from 'mime-types';
import {
  ChunkedUpload,
  type ChunkedUploadOptions,
  type UploadResult,
  type UploadSource,
} from '../../client/node.js';
import { idIn } from '../../client/upload-address.js';
import { size, visible } from '../text.js';
import type { LocalFile, Unusable } from './local-files.js';
import type { PutJournal } from './put-journal.js';
import { span } from './terminal-text.js';
import type { TransferBoard } from './transfer-board.js';
import { type TransferFailure, transferFailure } from './transfer-failure.js';
import type { Transfer } from './transfer.js';

/** What all uploads of a command have in common. */
export interface PutSettings {
  /** For the client; `signal` is Ctrl-C. */
  readonly client: ChunkedUploadOptions & { readonly signal: AbortSignal };
  readonly board: TransferBoard;
  /** Null where nothing is to be remembered. */
  readonly journal: PutJournal | null;
}

/** Something to upload. */
export interface PutSource {
  /** As it was named. */
  readonly file: string;
  readonly filename: string;
  /** The same as `file`, where it is one; null for standard input. */
  readonly local: LocalFile | null;
}

/** What became of one file, as `--json` prints it. */
export interface PutOutcome {
  readonly file: string;
  /** `skipped`: an earlier run of the same command uploaded it. */
  readonly status: 'complete' | 'skipped' | 'failed' | 'interrupted';
  readonly filename: string;
  readonly id: string | null;
  /** Address of the upload; null where none was begun. */
  readonly url: string | null;
  readonly size: number | null;
  /** Bytes that the server has for certain. */
  readonly offset: number;
  /** Bytes that the server had from an earlier run. */
  readonly resumedFrom: number;
  readonly checksum: UploadResult['checksum'];
  readonly seconds: number;
  readonly error: TransferFailure | null;
}

/** Uploads one file; whatever goes wrong is in the outcome. */
export async function putFile(source: PutSource, settings: PutSettings): Promise<PutOutcome> {
  const { client, board, journal } = settings;
  const { file, filename, local } = source;
  const startedAt = Date.now();
  const blank: PutOutcome = { ...BLANK, file, filename, size: local?.sizeBytes ?? null };
  const transfer = board.begin(visible(local ? file : filename), blank.size);
  const done = local && journal?.find(local);
  if (local && done) {
    transfer.startAt(local.sizeBytes);
    board.end(transfer);
    return { ...blank, status: 'skipped', id: done.id, url: done.url, offset: local.sizeBytes };
  }
  const watched = new WatchedUpload(source, client, transfer);
  const outcome = (rest: Partial<PutOutcome>): PutOutcome => {
    const seconds = (Date.now() - startedAt) / 1000;
    return { ...blank, ...watched.standing(), seconds, ...rest };
  };
  try {
    const { id, url, size: sizeBytes, checksum } = await watched.run();
    if (local) await journal?.add(local, { id, url });
    return outcome({ status: 'complete', id, url, size: sizeBytes, checksum });
  } catch (error) {
    if (client.signal.aborted) return outcome({ status: 'interrupted' });
    return outcome({ error: transferFailure(error) });
  } finally {
    board.end(transfer);
  }
}

/** The outcome of what was named and is nothing to upload. */
export function unusableOutcome({ path: file, code, message }: Unusable): PutOutcome {
  return { ...BLANK, file, filename: file, error: { code, message } };
}

const BLANK: PutOutcome = {
  file: '',
  status: 'failed',
  filename: '',
  id: null,
  url: null,
  size: null,
  offset: 0,
  resumedFrom: 0,
  checksum: null,
  seconds: 0,
  error: null,
};

/** One line about a file that the server has now. */
export function describePut({ file, status, url, checksum, ...outcome }: PutOutcome): string {
  const name = visible(file === '-' ? outcome.filename : file);
  if (status === 'skipped') return `${name}  ${url}  uploaded by an earlier run of this command`;
  const resumed = outcome.resumedFrom > 0 ? `, went on at ${size(outcome.resumedFrom)}` : '';
  const sum = checksum ? `, ${checksum.algorithm} ${checksum.hex}` : '';
  return `${name}  ${url}  ${size(outcome.size ?? 0)} in ${span(outcome.seconds)}${resumed}${sum}`;
}

/** An upload of the client whose progress the board shows. */
class WatchedUpload {
  private readonly upload: ChunkedUpload;
  private readonly isStdin: boolean;
  private readonly signal: AbortSignal;
  private resumedFrom: number | null = null;

  constructor(
    source: PutSource,
    options: PutSettings['client'],
    private readonly transfer: Transfer,
  ) {
    const { filename } = source;
    this.isStdin = source.local === null;
    this.signal = options.signal;
    const contentType = lookup(filename) || undefined;
    const input: UploadSource = source.local ? source.local.path : process.stdin;
    this.upload = new ChunkedUpload(input, { ...options, filename, ...(contentType && { contentType }) });
    this.watch();
  }

  async run(): Promise<UploadResult> {
    // Who is waiting for a person to type would wait on.
    const letGo = () => void (this.isStdin && process.stdin.destroy());
    this.signal.addEventListener('abort', letGo);
    try {
      return await this.upload.start();
    } finally {
      this.signal.removeEventListener('abort', letGo);
      letGo();
    }
  }

  standing(): Pick<PutOutcome, 'id' | 'url' | 'offset' | 'resumedFrom'> {
    const { url, offset } = this.upload;
    return { id: url && idIn(url), url, offset, resumedFrom: this.resumedFrom ?? 0 };
  }

  private watch(): void {
    const { upload, transfer } = this;
    let isResumed = false;
    upload.on('created', (created) => {
      isResumed = created.isResumed;
      if (!isResumed) transfer.startAt(0);
    });
    upload.on('progress', ({ bytesSent, offset, size: sizeBytes, state }) => {
      if (isResumed && this.resumedFrom === null && offset > 0) {
        this.resumedFrom = offset;
        transfer.startAt(offset);
      }
      transfer.progress(bytesSent, sizeBytes);
      if (state === 'uploading') transfer.note = null;
      else if (state === 'completing') transfer.note = 'completing';
    });
    upload.on('retry', ({ delayMs }) => {
      transfer.note = `retry in ${span(delayMs / 1000)}`;
    });
  }
}
