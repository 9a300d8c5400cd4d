import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { multipartBoundary, refuseEncodedBody } from './media-type.js';
import { type MultipartLimits, MultipartParser, type PartSink } from './multipart-parser.js';
import type { PartHeader } from './multipart-part.js';
import { watchSilence } from './silence.js';
import { connectionBroke, whyUnreadable } from './request-failure.js';

/** Bytes of the file that wait for a consumer before the request is paused. */
const FILE_BUFFER_BYTES = 64 * 1024;

/** The file part, from the moment its header has arrived. */
export interface MultipartFile {
  /**
   * Its bytes. While nobody reads them, some 128 KiB are held and the request stands still. It fails with the error
   * that `fields` rejects with; that it ended says nothing about the rest of the message. Destroying it before its
   * end discards the body.
   */
  readonly stream: Readable;
  /** As the client sent it, decoded; undefined where it sent none. */
  readonly filename: string | undefined;
  /** Media type in lower case without parameters, null where there is none. */
  readonly contentType: string | null;
  /** Text fields that came before the file. */
  readonly fieldsBefore: ReadonlyMap<string, string>;
}

/** A body that is being read. Neither promise causes an unhandled rejection when nobody waits for it. */
export interface MultipartBody {
  /** Resolves when the file part begins, with null when the message ended without one. */
  readonly file: Promise<MultipartFile | null>;
  /** All text fields; resolves once the whole message has arrived, well-formed to its final boundary. */
  readonly fields: Promise<ReadonlyMap<string, string>>;
  /** Stops reading. What has not settled fails; the request is left paused, for the caller to drain or close. */
  discard(): void;
}

/**
 * Reads a `multipart/form-data` body (RFC 7578) as it arrives. Nothing but its text fields is kept in memory.
 *
 * Both promises reject with an UploadError when the message is at fault: `malformed_request` where it breaks the
 * grammar or a limit (one file; 32 text fields of 8 KiB, each name once and at most 100 bytes), `chunk_too_large` and
 * `body_too_large` with `limitBytes`. When the connection broke they reject with the error of the request.
 *
 * @throws UploadError `encoding_not_supported`, or `malformed_request` for a content type without a usable boundary:
 *   at once, with nothing read.
 */
export function readMultipart(request: IncomingMessage, limits: MultipartLimits): MultipartBody {
  refuseEncodedBody(request.headers['content-encoding']);
  return new MultipartReader(request, multipartBoundary(request.headers['content-type']), limits);
}

/**
 * Moves a body from the request through the parser into the stream of its file. The parser holds nothing, so there is
 * one buffer, that of the stream, and one valve, the request. Not slower than piping the request into busboy.
 */
class MultipartReader implements MultipartBody {
  private readonly whenFile = deferred<MultipartFile | null>();
  private readonly whenRead = deferred<ReadonlyMap<string, string>>();
  readonly file = this.whenFile.promise;
  readonly fields = this.whenRead.promise;
  private readonly parser: MultipartParser;
  private stream: Readable | null = null;
  private result: ReadonlyMap<string, string> | null = null;
  private bodyEnded = false;
  private settled = false;
  private unwatch: () => void = () => undefined;

  constructor(
    private readonly request: IncomingMessage,
    boundary: string,
    private readonly limits: MultipartLimits,
  ) {
    this.parser = new MultipartParser(boundary, limits, {
      onFile: (header, fieldsBefore) => this.openFile(header, fieldsBefore),
      onComplete: (fields) => {
        this.result = fields;
        this.succeedWhenRead();
      },
      onError: (error) => this.fail(error as Error),
    });
    const obstacle = whyUnreadable(request);
    if (obstacle === null) this.attach();
    else this.fail(obstacle);
  }

  discard(): void {
    this.fail(new Error('The rest of the body is not wanted.'));
  }

  private attach(): void {
    this.request.on('data', this.onData);
    this.request.on('end', this.onEnd);
    this.request.on('error', this.fail);
    this.request.on('close', this.onClose);
    const { idleTimeoutMs } = this.limits;
    if (idleTimeoutMs !== undefined) this.unwatch = watchSilence(this.request, idleTimeoutMs, this.fail);
    // A request that was paused explicitly does not begin to flow by itself.
    this.request.resume();
  }

  private detach(): void {
    this.request.off('data', this.onData);
    this.request.off('end', this.onEnd);
    this.request.off('error', this.fail);
    this.request.off('close', this.onClose);
    this.unwatch();
  }

  private readonly onData = (chunk: Buffer): void => this.parser.write(chunk);

  private readonly onEnd = (): void => {
    this.bodyEnded = true;
    this.parser.end();
    this.succeedWhenRead();
  };

  private readonly onClose = (): void => {
    if (!this.bodyEnded) this.fail(connectionBroke());
  };

  private openFile(
    { filename, contentType }: PartHeader,
    fieldsBefore: ReadonlyMap<string, string>,
  ): PartSink {
    const stream = new Readable({
      highWaterMark: FILE_BUFFER_BYTES,
      read: () => void this.request.resume(),
      destroy: (error, done) => {
        if (!stream.readableEnded) this.fail(error ?? new Error('The file is not wanted.'));
        done(error);
      },
    });
    // The consumer may not be listening yet, or no longer.
    stream.on('error', () => undefined);
    this.stream = stream;
    this.whenFile.resolve({ stream, filename, contentType, fieldsBefore });
    return {
      append: (data) => {
        if (!stream.push(data)) this.request.pause();
      },
      close: () => {
        stream.push(null);
        // Nobody reads behind the end of the file: a request paused for it would wait for ever.
        this.request.resume();
      },
    };
  }

  /** The final boundary is not the end: what frames the body, a length or a last HTTP chunk, must be complete too. */
  private succeedWhenRead(): void {
    if (this.result === null || !this.bodyEnded || this.settled) return;
    this.settled = true;
    this.detach();
    this.whenFile.resolve(null);
    this.whenRead.resolve(this.result);
  }

  private readonly fail = (error: Error): void => {
    if (this.settled) return;
    this.settled = true;
    this.detach();
    // Without a data listener a flowing request would throw the rest away.
    this.request.pause();
    this.whenFile.reject(error);
    this.whenRead.reject(error);
    this.stream?.destroy(error);
  };
}

interface Deferred<T> {
  readonly promise: Promise<T>;
  resolve(value: T): void;
  reject(reason: unknown): void;
}

/** A promise settled from outside, whose rejection nobody has to handle. */
function deferred<T>(): Deferred<T> {
  let resolve!: Deferred<T>['resolve'];
  let reject!: Deferred<T>['reject'];
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  promise.catch(() => undefined);
  return { promise, resolve, reject };
}
