import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { originOf, type SourceProcess, startServer, temporaryFolder } from './server-process.js';

// Processes and databases start here, on machines that have other things to do.
jest.setTimeout(120_000);

describe('the reference server, by its settings', () => {
  let folder: string;
  let dispose: () => Promise<void>;
  let accounts: Server;
  const servers: SourceProcess[] = [];

  beforeAll(async () => {
    ({ folder, dispose } = await temporaryFolder());
    accounts = createServer(({ headers }, response) => {
      response.statusCode = headers.authorization === 'Bearer good' ? 200 : 401;
      response.end(JSON.stringify({ id: 'ann' }));
    }).listen(0, '127.0.0.1');
  });

  afterEach(async () => {
    for (const server of servers.splice(0)) await server.kill('SIGTERM');
  });

  afterAll(async () => {
    accounts.close();
    await dispose();
  });

  const start = (variables: NodeJS.ProcessEnv): Promise<string> => {
    const server = startServer({ DATA_DIR: folder, ...variables });
    servers.push(server);
    return originOf(server);
  };

  const put = (url: string, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(url, { method: 'PUT', body: 'abc', headers: { 'Content-Range': 'bytes 0-2/6', ...headers } });

  it('speaks form-post beside REST, and keeps files in the folder it was told', async () => {
    const origin = await start({
      CHUNKED_UPLOAD_DOORS: 'rest,form-post',
      CHUNKED_UPLOAD_FOLDER: 'incoming/%Y',
    });
    const form = new FormData();
    form.append('file', new Blob(['abc']), 'a.txt');
    const answer = await fetch(`${origin}/chunked_upload/`, { method: 'POST', body: form });
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ offset: 3 });
    expect((await put(`${origin}/upload`)).status).toBe(200);
    const year = String(new Date().getUTCFullYear());
    expect(await readdir(path.join(folder, 'uploads/incoming', year))).toHaveLength(2);
  });

  it('lets in whom another server knows', async () => {
    const { port } = accounts.address() as AddressInfo;
    const origin = await start({
      CHUNKED_UPLOAD_AUTH: 'external',
      CHUNKED_UPLOAD_AUTH_URL: `http://127.0.0.1:${port}/me`,
      CHUNKED_UPLOAD_AUTH_CHALLENGE: 'Bearer',
    });
    const refused = await put(`${origin}/upload`, { Authorization: 'Bearer bad' });
    expect(refused.status).toBe(401);
    expect(refused.headers.get('www-authenticate')).toBe('Bearer');
    expect((await put(`${origin}/upload`, { Authorization: 'Bearer good' })).status).toBe(200);
  });

  it.each([
    ['api-key', 401],
    ['signed', 403],
  ])('asks for %s', async (by, status) => {
    const origin = await start({ CHUNKED_UPLOAD_AUTH: by });
    expect((await put(`${origin}/upload`)).status).toBe(status);
  });
});
