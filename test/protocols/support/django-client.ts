import type { OutgoingHttpHeaders } from 'node:http';
import { type Answer, file, form, md5, type Part, send } from '../../support/http.js';

/** How a page of django-chunked-upload is set up. */
export interface DjangoPage {
  /** `api/chunked_upload/` of the page, as a whole url. */
  readonly uploadUrl: string;
  /** `api/chunked_upload_complete/` of the page. */
  readonly completeUrl: string;
  /** JFU's `maxChunkSize`. @default 100000 */
  readonly maxChunkSize?: number;
  /** JFU's `paramName`. @default 'file' */
  readonly paramName?: string;
  readonly headers?: OutgoingHttpHeaders;
}

/** What the page did: every answer to a chunk, and the one to completion. */
export interface DjangoRun {
  readonly chunks: readonly Answer[];
  readonly completed: Answer;
}

const CSRF = { name: 'csrfmiddlewaretoken', value: 'x'.repeat(64) };

/**
 * The page of the django-chunked-upload demo with jQuery-File-Upload behind it, request by request: a small file goes
 * without Content-Range; `upload_id` joins the form after the first chunk; the next chunk starts where the `Range` of
 * the answer says; `done` posts the MD5 of the whole.
 */
export class DjangoClient {
  constructor(private readonly page: DjangoPage) {}

  async upload(bytes: Buffer, filename: string): Promise<DjangoRun> {
    const { maxChunkSize = 100_000 } = this.page;
    const formData: Part[] = [CSRF];
    const chunks: Answer[] = [];
    let uploadedBytes = 0;
    do {
      const end = Math.min(uploadedBytes + maxChunkSize, bytes.length);
      const range =
        bytes.length > maxChunkSize
          ? {
              'Content-Range': `bytes ${uploadedBytes}-${end - 1}/${bytes.length}`,
              'Content-Disposition': `attachment; filename="${encodeURI(filename)}"`,
            }
          : {};
      const answer = await this.post(formData, bytes.subarray(uploadedBytes, end), filename, range);
      chunks.push(answer);
      if (formData.length < 2) formData.push({ name: 'upload_id', value: String(answer.json.upload_id) });
      uploadedBytes = upperByte(answer) ?? end;
    } while (uploadedBytes < bytes.length);
    const uploadId = String(chunks.at(-1)?.json.upload_id);
    return { chunks, completed: await this.complete(uploadId, md5(bytes)) };
  }

  /** `$.ajax({ type: 'POST', data: { … } })`. */
  complete(uploadId: string, checksum: string): Promise<Answer> {
    const { completeUrl, headers } = this.page;
    const data = { csrfmiddlewaretoken: CSRF.value, upload_id: uploadId, md5: checksum };
    return send(completeUrl, {
      method: 'POST',
      headers: { 'Content-Type': 'application/x-www-form-urlencoded; charset=UTF-8', ...headers },
      body: new URLSearchParams(data).toString(),
    });
  }

  private async post(
    fields: readonly Part[],
    chunk: Buffer,
    filename: string,
    range: OutgoingHttpHeaders,
  ): Promise<Answer> {
    const { uploadUrl, paramName = 'file', headers } = this.page;
    const sent = form(...fields, file(chunk, filename, paramName));
    const answer = await send(uploadUrl, {
      method: 'POST',
      headers: {
        Accept: 'application/json, text/javascript, */*; q=0.01',
        ...headers,
        ...range,
        ...sent.headers,
      },
      body: sent.body,
    });
    // `chunkfail`: the plugin stops at whatever is not a success.
    if (answer.status < 200 || answer.status > 299) throw new Error(`${answer.status} ${answer.text}`);
    return answer;
  }
}

/** `_getUploadedBytes`: one past the last byte of `Range: bytes=0-<last>`. */
function upperByte({ headers }: Answer): number | null {
  const last = headers.range?.split('-')[1];
  return last === undefined ? null : Number.parseInt(last, 10) + 1;
}
