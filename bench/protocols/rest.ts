import { expectStatus, type HttpClient } from '../http-client.js';
import { type Job, type Protocol, timeChunks, timed } from './protocol.js';

interface RestOptions {
  /** Of the completing request; null for a server that computes none. */
  readonly checksum: string | null;
  /** Chunks as forms with a file part, instead of raw bodies. */
  readonly isMultipart?: boolean;
}

const BOUNDARY = 'bench-boundary';
const HEAD = Buffer.from(
  `--${BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="bench.bin"\r\nContent-Type: application/octet-stream\r\n\r\n`,
);
const TAIL = Buffer.from(`\r\n--${BOUNDARY}--\r\n`);

/** This module's own door: `PUT` chunks, `POST` to complete. */
export function rest({ checksum, isMultipart = false }: RestOptions): Protocol {
  return {
    isChunked: true,
    async upload(client, job) {
      let url = '/upload?filename=bench.bin';
      const timing = await timeChunks(job, async (start, length) => {
        url = await sendChunk(client, { url, job, start, length, isMultipart });
      });
      const fields = checksum === null ? {} : { [checksum]: job.checksum(checksum) };
      const completing = client.send(
        url,
        { method: 'POST', headers: { 'Content-Type': 'application/json' } },
        JSON.stringify(fields),
      );
      const completionMs = await timed(completing.then((answer) => expectStatus(answer, 200)));
      expectStatus(await client.send(url, { method: 'DELETE' }), 204);
      return { ...timing, completionMs };
    },
  };
}

interface Chunk {
  readonly url: string;
  readonly job: Job;
  readonly start: number;
  readonly length: number;
  readonly isMultipart: boolean;
}

async function sendChunk(
  client: HttpClient,
  { url, job, start, length, isMultipart }: Chunk,
): Promise<string> {
  const { pattern, sizeBytes } = job;
  const frame = isMultipart ? { head: HEAD, tail: TAIL } : {};
  const headers = {
    'Content-Range': `bytes ${start}-${start + length - 1}/${sizeBytes}`,
    'Content-Length': length + (isMultipart ? HEAD.length + TAIL.length : 0),
    'Content-Type': isMultipart ? `multipart/form-data; boundary=${BOUNDARY}` : 'application/octet-stream',
  };
  const body = { pattern, start, length, ...frame };
  const answer = expectStatus(await client.send(url, { method: 'PUT', headers }, body), 200);
  return (JSON.parse(answer.text) as { url: string }).url;
}
