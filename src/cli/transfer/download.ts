import { ChunkedUploadError } from '../../client/chunked-upload-error.js';
import type { ChecksumAlgorithm } from '../../engine/checksum-algorithm.js';
import { RunningDigest } from '../../engine/running-digest.js';
import type { DownloadTarget } from './download-target.js';
import { type HttpClient, networkError, type OpenAnswer } from './http-client.js';
import type { HttpRetries } from './http-retries.js';
import type { RemoteFile } from './remote-file.js';
import type { Transfer } from './transfer.js';

/** What a download needs. */
export interface DownloadParts {
  readonly remote: RemoteFile;
  readonly target: DownloadTarget;
  readonly http: HttpClient;
  readonly retries: HttpRetries;
  readonly transfer: Transfer;
}

/** What a download came to. */
export interface Downloaded {
  readonly sizeBytes: number;
  /** Bytes that an earlier run had left; 0 for a download from the beginning. */
  readonly resumedFrom: number;
  /** The checksums that were compared; none where the server had none. */
  readonly verified: readonly ChecksumAlgorithm[];
}

/** The bytes of one upload on their way into a file: goes on where they broke off, and trusts none unseen. */
export class Download {
  private digest: RunningDigest | null = null;
  private offset = 0;
  /** The furthest it ever came: whoever is sent the beginning again makes no progress. */
  private furthest = 0;
  private resumedFrom = 0;

  constructor(private readonly parts: DownloadParts) {}

  /** @throws ChunkedUploadError, `checksum_mismatch` among others; TargetError; errors of the file system. */
  async run(): Promise<Downloaded> {
    const { target } = this.parts;
    try {
      await this.begin();
      await this.fetchRest();
      if (!this.isRight() && !(await this.tryFromTheBeginning())) {
        await target.discard();
        throw damaged();
      }
      await target.finish();
    } finally {
      this.digest?.release();
      await target.close();
    }
    return { sizeBytes: this.offset, resumedFrom: this.resumedFrom, verified: this.algorithms };
  }

  private get algorithms(): readonly ChecksumAlgorithm[] {
    return Object.keys(this.parts.remote.checksums) as ChecksumAlgorithm[];
  }

  private async begin(): Promise<void> {
    const { target, transfer } = this.parts;
    const digest = await this.newDigest();
    transfer.note = 'reading what is there';
    this.offset = await target.open((bytes) => digest.update([bytes]));
    this.resumedFrom = this.offset;
    transfer.startAt(this.offset);
    transfer.note = null;
  }

  private async fetchRest(): Promise<void> {
    const { remote, retries } = this.parts;
    if (this.offset === remote.sizeBytes) return;
    await retries.run(async () => {
      const answer = await this.ask();
      for await (const bytes of answer.body()) {
        await this.take(bytes);
        // More than there can be is not right, however much more would come.
        if (this.offset > (remote.sizeBytes ?? Infinity)) return;
      }
      if (remote.sizeBytes !== null && this.offset < remote.sizeBytes) throw networkError();
    });
  }

  private async ask(): Promise<OpenAnswer> {
    const { remote, http } = this.parts;
    if (this.offset === 0) return http.get(remote.contentUrl);
    const answer = await http.get(remote.contentUrl, {
      Range: `bytes=${this.offset}-`,
      // Where the bytes are others by now, all of them come.
      ...(remote.etag && { 'If-Range': remote.etag }),
    });
    const range = answer.header('Content-Range') ?? '';
    if (answer.status === 206 && !range.startsWith(`bytes ${this.offset}-`)) throw networkError();
    if (answer.status !== 206) await this.startOver();
    return answer;
  }

  private async take(bytes: Buffer): Promise<void> {
    const { target, transfer, remote, retries } = this.parts;
    await target.write(bytes);
    this.digest?.update([bytes]);
    this.offset += bytes.length;
    transfer.progress(this.offset, remote.sizeBytes);
    if (this.offset <= this.furthest) return;
    this.furthest = this.offset;
    retries.progressed();
  }

  /** Compares size and checksums; without either, what arrived is taken for right. */
  private isRight(): boolean {
    const { sizeBytes, checksums } = this.parts.remote;
    const found = this.digest?.finish() ?? {};
    return (
      (sizeBytes === null || this.offset === sizeBytes) &&
      this.algorithms.every((name) => found[name] === checksums[name]?.toLowerCase())
    );
  }

  /** What an earlier run left may have been damaged since. */
  private async tryFromTheBeginning(): Promise<boolean> {
    if (this.resumedFrom === 0) return false;
    await this.startOver();
    await this.fetchRest();
    return this.isRight();
  }

  private async startOver(): Promise<void> {
    if (!(await this.parts.target.startOver())) throw damaged();
    await this.newDigest();
    this.offset = 0;
    this.resumedFrom = 0;
    this.parts.transfer.startAt(0);
  }

  private async newDigest(): Promise<RunningDigest> {
    this.digest?.release();
    this.digest = null;
    this.digest = await RunningDigest.start(this.algorithms);
    return this.digest;
  }
}

function damaged(): ChunkedUploadError {
  const message =
    'The bytes that arrived are not those that were uploaded: size or checksum differ. None were kept.';
  return new ChunkedUploadError('checksum_mismatch', message);
}
