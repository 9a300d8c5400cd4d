import { expectStatus } from '../http-client.js';
import { type Protocol, timeChunks } from './protocol.js';

const VERSION = { 'Tus-Resumable': '1.0.0' };

/** tus 1.0.0, as tus-js-client speaks it: `POST` to create, `PATCH` chunks; the last one completes. */
export const tus: Protocol = {
  isChunked: true,
  async upload(client, job) {
    const { pattern, sizeBytes } = job;
    const created = await client.send('/files', {
      method: 'POST',
      headers: { ...VERSION, 'Upload-Length': sizeBytes },
    });
    const url = expectStatus(created, 201).headers.location ?? '';
    const timing = await timeChunks(job, async (start, length) => {
      const headers = {
        ...VERSION,
        'Upload-Offset': start,
        'Content-Length': length,
        'Content-Type': 'application/offset+octet-stream',
      };
      expectStatus(await client.send(url, { method: 'PATCH', headers }, { pattern, start, length }), 204);
    });
    expectStatus(await client.send(url, { method: 'DELETE', headers: VERSION }), 204);
    return { ...timing, completionMs: null };
  },
};
