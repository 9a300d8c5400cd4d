import { expectStatus } from '../http-client.js';
import { type Protocol, timeChunks } from './protocol.js';

let uploads = 0;

/** The bare servers of `servers/bare.ts`: `PUT` chunks with `Content-Range`, nothing else. */
export const bare: Protocol = {
  isChunked: true,
  async upload(client, job) {
    const { pattern, sizeBytes } = job;
    const path = `/${++uploads}`;
    const timing = await timeChunks(job, async (start, length) => {
      const headers = {
        'Content-Range': `bytes ${start}-${start + length - 1}/${sizeBytes}`,
        'Content-Length': length,
      };
      expectStatus(await client.send(path, { method: 'PUT', headers }, { pattern, start, length }), 200);
    });
    expectStatus(await client.send(path, { method: 'DELETE' }), 204);
    return { ...timing, completionMs: null };
  },
};

/** A WebDAV folder (nginx): each chunk is a file of its own, since DAV knows no offsets. */
export const dav: Protocol = {
  isChunked: true,
  async upload(client, job) {
    const path = `/dav/${++uploads}`;
    const paths: string[] = [];
    const timing = await timeChunks(job, async (start, length) => {
      const chunk = `${path}-${start}`;
      paths.push(chunk);
      const headers = { 'Content-Length': length };
      const body = { pattern: job.pattern, start, length };
      expectStatus(await client.send(chunk, { method: 'PUT', headers }, body), 201, 204);
    });
    for (const chunk of paths) expectStatus(await client.send(chunk, { method: 'DELETE' }), 204);
    return { ...timing, completionMs: null };
  },
};
