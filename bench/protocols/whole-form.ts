import { expectStatus } from '../http-client.js';
import { type Protocol, timeChunks, timed } from './protocol.js';

const BOUNDARY = 'bench-boundary';
const HEAD = Buffer.from(
  `--${BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="bench.bin"\r\nContent-Type: application/octet-stream\r\n\r\n`,
);
const TAIL = Buffer.from(`\r\n--${BOUNDARY}--\r\n`);

/** The whole file as one form: all that multer and busboy know. */
export const wholeForm: Protocol = {
  isChunked: false,
  async upload(client, { pattern, sizeBytes }) {
    const headers = {
      'Content-Length': HEAD.length + sizeBytes + TAIL.length,
      'Content-Type': `multipart/form-data; boundary=${BOUNDARY}`,
    };
    const body = { pattern, start: 0, length: sizeBytes, head: HEAD, tail: TAIL };
    const sent = client.send('/files', { method: 'POST', headers }, body);
    const transferMs = await timed(sent.then((answer) => expectStatus(answer, 200, 201, 204)));
    return { transferMs, chunkMs: [transferMs], completionMs: null };
  },
};

/** Each chunk as a form like that, for a server that does not put them together: what the forms alone cost. */
export const chunkForms: Protocol = {
  isChunked: true,
  async upload(client, job) {
    const timing = await timeChunks(job, async (_, length) => {
      await wholeForm.upload(client, { ...job, sizeBytes: length });
    });
    return { ...timing, completionMs: null };
  },
};
