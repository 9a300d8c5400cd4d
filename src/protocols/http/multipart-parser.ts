import { Dicer } from '@fastify/busboy';
import { excerpt } from '../../errors/excerpt.js';
import { UploadError } from '../../errors/upload-error.js';
import {
  type PartHeader,
  type PartHeaders,
  TextValue,
  malformedRequest,
  readPartHeader,
} from './multipart-part.js';

const MAX_TEXT_FIELDS = 32;

/** All that is not the file: 32 fields of 8 KiB, part headers, preamble and epilogue, any of which could go on forever. */
const MAX_FORM_BYTES = 512 * 1024;

/** What a `multipart/form-data` body may hold. */
export interface MultipartLimits {
  /** Name of the file part; `file` stands for `files[]` too, as jQuery-File-Upload calls it. Null: no file may come. */
  readonly fileField: string | null;
  /** Longest file. @default unlimited */
  readonly maxFileBytes?: number;
  /** Longest rest of the message. @default 512 KiB */
  readonly maxFormBytes?: number;
  /** Silence after which the message is given up. @default never */
  readonly idleTimeoutMs?: number;
}

/** Receives one part, piece by piece. */
export interface PartSink {
  append(data: Buffer): void;
  close(): void;
}

/** What a {@link MultipartParser} tells; nothing more after `onError`. */
export interface MultipartListener {
  /** The file begins; its bytes go to the returned sink. Called at most once. */
  onFile(header: PartHeader, fieldsBefore: ReadonlyMap<string, string>): PartSink;
  /** The final boundary has been read. What follows is an epilogue, skipped unless it is too long. */
  onComplete(fields: ReadonlyMap<string, string>): void;
  /** An UploadError where the message is at fault, else what the sink of the file threw. */
  onError(error: unknown): void;
}

const PART_WITHOUT_HEADER: PartSink = {
  append: () => undefined,
  close() {
    throw malformedRequest('A part of the form ends within its header.');
  },
};

/**
 * Parses a `multipart/form-data` body (RFC 7578) on top of Dicer, the parser inside busboy; busboy itself skips parts
 * it cannot read without a word.
 *
 * Every part is kept flowing, so `write` has passed everything on when it returns and holds nothing back.
 */
export class MultipartParser {
  private readonly dicer: Dicer;
  private readonly fields = new Map<string, string>();
  private part: PartSink | null = null;
  private partCount = 0;
  private fileSeen = false;
  private receivedBytes = 0;
  private fileBytes = 0;
  private isComplete = false;
  private over = false;

  constructor(
    private readonly boundary: string,
    private readonly limits: MultipartLimits,
    private readonly listener: MultipartListener,
  ) {
    this.dicer = new Dicer({ boundary });
    this.dicer.on('part', (part: Dicer.PartStream) => this.attempt(() => this.beginPart(part)));
    this.dicer.on('finish', () => this.attempt(() => this.complete()));
    this.dicer.on('error', () => this.attempt(() => this.failTruncated()));
  }

  /** Takes the next bytes of the body. */
  write(chunk: Buffer): void {
    this.receivedBytes += chunk.length;
    this.attempt(() => this.dicer.write(chunk));
    this.attempt(() => this.checkFormBytes());
  }

  /** Says that the body is at its end; `onComplete` or `onError` follows within a few ticks, unless one came before. */
  end(): void {
    this.dicer.end();
  }

  /** Dicer calls back from within its own loops and from later ticks; what is thrown there must not get lost. */
  private attempt(step: () => void): void {
    if (this.over) return;
    try {
      step();
    } catch (error) {
      this.over = true;
      this.listener.onError(error);
    }
  }

  private beginPart(part: Dicer.PartStream): void {
    this.closePart();
    this.partCount += 1;
    this.part = PART_WITHOUT_HEADER;
    part.on('header', (headers) => this.attempt(() => this.openPart(readPartHeader(headers as PartHeaders))));
    part.on('data', (data: Buffer) => this.attempt(() => this.part?.append(data)));
    // Dicer reports a part that is cut off on the part, too.
    part.on('error', () => undefined);
    // After its first read a flowing stream emits data within `push`. Before, it would do so a tick later, when the
    // next part may already have begun.
    part.read(0);
  }

  private openPart(header: PartHeader): void {
    this.part = header.isFile ? this.openFile(header) : this.openText(header.name);
  }

  private openFile(header: PartHeader): PartSink {
    this.checkFileName(header.name);
    this.fileSeen = true;
    const sink = this.listener.onFile(header, new Map(this.fields));
    return {
      append: (data) => {
        this.countFileBytes(data.length);
        sink.append(data);
      },
      close: () => sink.close(),
    };
  }

  private openText(name: string): PartSink {
    if (this.fields.has(name)) throw malformedRequest(`The form has two fields ${excerpt(name)}; send one.`);
    if (this.fields.size === MAX_TEXT_FIELDS) {
      throw malformedRequest(`The form has more than ${MAX_TEXT_FIELDS} text fields.`);
    }
    const value = new TextValue(name);
    return { append: (data) => value.append(data), close: () => void this.fields.set(name, value.decode()) };
  }

  private closePart(): void {
    const part = this.part;
    this.part = null;
    part?.close();
  }

  /** Dicer emits `finish` when it has read the final boundary and its parts have ended; sometimes it does so twice. */
  private complete(): void {
    if (this.isComplete) return;
    this.isComplete = true;
    this.closePart();
    this.listener.onComplete(this.fields);
  }

  private checkFileName(name: string): void {
    const { fileField } = this.limits;
    if (fileField === null)
      throw malformedRequest(`The form field ${excerpt(name)} is a file; none is expected here.`);
    const expected = fileField === 'file' ? ['file', 'files[]'] : [fileField];
    if (!expected.includes(name)) {
      throw malformedRequest(`The file is in the form field ${excerpt(name)}; send it as "${fileField}".`);
    }
    if (this.fileSeen) throw malformedRequest('The form has two files; send one file in one request.');
  }

  private countFileBytes(length: number): void {
    this.fileBytes += length;
    const { maxFileBytes: limitBytes = Infinity } = this.limits;
    if (this.fileBytes <= limitBytes) return;
    throw new UploadError('chunk_too_large', `The file part is longer than ${limitBytes} bytes.`, {
      limitBytes,
    });
  }

  private checkFormBytes(): void {
    const { maxFormBytes: limitBytes = MAX_FORM_BYTES } = this.limits;
    if (this.receivedBytes - this.fileBytes <= limitBytes) return;
    throw new UploadError('body_too_large', `The form is longer than ${limitBytes} bytes beside its file.`, {
      limitBytes,
    });
  }

  private failTruncated(): void {
    throw malformedRequest(
      this.partCount === 0
        ? `The body has no part that begins with the boundary of its Content-Type, ${excerpt(this.boundary)}.`
        : `The body ends before its final boundary, ${excerpt(`--${this.boundary}--`)}.`,
    );
  }
}
