import { expectStatus } from '../http-client.js';
import { type Protocol, timeChunks } from './protocol.js';

/** The protocol of Google's resumable uploads, as @uploadx/core has it; the last chunk completes. */
export const uploadx: Protocol = {
  isChunked: true,
  async upload(client, job) {
    const { pattern, sizeBytes } = job;
    const metadata = {
      name: `bench-${performance.now()}.bin`,
      size: sizeBytes,
      mimeType: 'application/octet-stream',
    };
    const created = await client.send(
      '/files',
      { method: 'POST', headers: { 'Content-Type': 'application/json' } },
      JSON.stringify(metadata),
    );
    const url = expectStatus(created, 200, 201).headers.location ?? '';
    const timing = await timeChunks(job, async (start, length) => {
      const headers = {
        'Content-Range': `bytes ${start}-${start + length - 1}/${sizeBytes}`,
        'Content-Length': length,
        'Content-Type': 'application/octet-stream',
      };
      expectStatus(await client.send(url, { method: 'PUT', headers }, { pattern, start, length }), 200, 308);
    });
    expectStatus(await client.send(url, { method: 'DELETE' }), 200, 204);
    return { ...timing, completionMs: null };
  },
};
