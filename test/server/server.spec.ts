import { execFile } from 'node:child_process';
import { access } from 'node:fs/promises';
import { request } from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { originOf, SourceProcess, startServer, temporaryFolder } from './server-process.js';

let folder: string;
let dispose: () => Promise<void>;
const servers: SourceProcess[] = [];

beforeAll(async () => ({ folder, dispose } = await temporaryFolder()));

afterAll(async () => {
  await endServers();
  await dispose();
});

async function endServers(): Promise<void> {
  for (const server of servers.splice(0)) await server.kill('SIGTERM');
}

function start(variables: NodeJS.ProcessEnv = {}): SourceProcess {
  const server = startServer({ DATA_DIR: folder, ...variables });
  servers.push(server);
  return server;
}

const isDatabaseUp = (directory = folder): Promise<boolean> =>
  access(path.join(directory, 'postgres/cluster/data/postmaster.pid')).then(
    () => true,
    () => false,
  );

/** Runs the shell lines that a newcomer is told to paste. */
async function pasteExample(output: string): Promise<string> {
  const lines = output.split('\n').filter((line) => line.includes('curl '));
  const script = lines.join('\n').replaceAll(`-u 'ann'`, '-u ann:secret');
  return (await promisify(execFile)('bash', ['-euc', script])).stdout;
}

/** Sends three bytes of an upload of six. */
function putChunk(url: string, start: 0 | 3): Promise<Response> {
  const headers = { 'Content-Range': `bytes ${start}-${start + 2}/6` };
  return fetch(url, { method: 'PUT', body: 'abc', headers });
}

/** A chunk that pauses in the middle until `finish` is called. */
function pausedChunk(origin: string): { answer: Promise<number | string>; finish: () => void } {
  const headers = { 'Content-Range': 'bytes 0-5/6', 'Content-Length': 6 };
  const outgoing = request(`${origin}/upload?filename=slow.txt`, {
    method: 'PUT',
    headers,
    auth: 'ann:secret',
  });
  const answer = new Promise<number | string>((resolve) => {
    outgoing.once('response', (response) => resolve(response.resume().statusCode ?? 0));
    outgoing.once('error', (error) => resolve(error.message));
  });
  outgoing.write('abc');
  return { answer, finish: () => outgoing.end('def') };
}

describe('the reference server', () => {
  let server: SourceProcess;
  let origin: string;

  beforeAll(async () => {
    server = start({ CHUNKED_UPLOAD_USERS: 'ann:secret', CORS_ORIGIN: 'https://app.example' });
    origin = await originOf(server);
  });

  afterAll(endServers);

  it('does what it tells a newcomer to paste', async () => {
    expect(await pasteExample(server.output)).toMatch(/"offset":11.*"status":"complete".*hello world$/s);
  });

  it('asks for the password it was given', async () => {
    expect((await putChunk(`${origin}/upload`, 0)).status).toBe(401);
  });

  it('describes its API', async () => {
    expect((await fetch(`${origin}/docs`)).status).toBe(200);
    const document = (await (await fetch(`${origin}/docs-json`)).json()) as { paths: object };
    expect(Object.keys(document.paths)).toEqual(expect.arrayContaining(['/upload', '/upload/{id}']));
  });

  it('lets in only the pages of the origins that are listed', async () => {
    const from = async (page: string) =>
      (await fetch(`${origin}/health`, { headers: { Origin: page } })).headers;
    const allowed = await from('https://app.example');
    expect(allowed.get('access-control-allow-origin')).toBe('https://app.example');
    expect(allowed.get('access-control-expose-headers')).toContain('Upload-Offset');
    expect((await from('https://evil.example')).has('access-control-allow-origin')).toBe(false);
  });

  it('lets a running chunk finish when it is told to stop, then ends with its database', async () => {
    const chunk = pausedChunk(origin);
    await sleep(300);
    const exit = server.kill('SIGTERM');
    await server.printed(/Stopping: letting running chunks finish \(up to 10 s\)/);
    await sleep(300);
    chunk.finish();
    expect(await chunk.answer).toBe(200);
    expect(await exit).toBe(0);
    expect(await isDatabaseUp()).toBe(false);
  });
});

describe('on the same folder', () => {
  afterEach(endServers);

  it('goes on with an upload after kill -9, on Express as on Fastify', async () => {
    const first = start({ CHUNKED_UPLOAD_ADAPTER: 'fastify' });
    const created = await putChunk(`${await originOf(first)}/upload?filename=a.txt`, 0);
    expect(await pasteExample(first.output)).toMatch(/hello world$/);
    const { id } = (await created.json()) as { id: string };
    expect(await first.kill('SIGKILL')).toBe('SIGKILL');
    expect(await isDatabaseUp()).toBe(true);
    const appended = await putChunk(`${await originOf(start())}/upload/${id}`, 3);
    expect(await appended.json()).toMatchObject({ offset: 6, status: 'uploading' });
  });

  it('is two instances when started twice at the same moment', async () => {
    const variables = { DATA_DIR: path.join(folder, 'shared') };
    const [one, two] = [start(variables), start(variables)];
    const created = await putChunk(`${await originOf(one)}/upload?filename=a.txt`, 0);
    const { id } = (await created.json()) as { id: string };
    const origin = await originOf(two);
    expect(await one.kill('SIGTERM')).toBe(0);
    expect((await putChunk(`${origin}/upload/${id}`, 3)).status).toBe(200);
  });
});

describe('told to stop', () => {
  afterEach(endServers);

  it('ends at once at the second Ctrl-C, which may arrive as two signals', async () => {
    const server = start();
    const chunk = pausedChunk(await originOf(server));
    await sleep(300);
    server.child.kill('SIGINT');
    server.child.kill('SIGINT');
    await server.printed(/Stopping: /);
    await sleep(700);
    expect(server.output).not.toMatch(/Stopping at once/);
    expect(await server.kill('SIGINT')).toBe(130);
    expect(await chunk.answer).toMatch(/hang up|ECONNRESET/);
    expect(await isDatabaseUp()).toBe(false);
  });

  it('leaves nothing running when it was still starting', async () => {
    const fresh = path.join(folder, 'interrupted');
    const server = start({ DATA_DIR: fresh });
    await server.printed(/Creating the database/);
    expect(await server.kill('SIGTERM')).toBe(0);
    expect(server.output).not.toMatch(/Listening/);
    expect(await isDatabaseUp(fresh)).toBe(false);
  });
});

describe('a boot that fails', () => {
  async function failedBoot(variables: NodeJS.ProcessEnv): Promise<string> {
    const server = startServer({ DATA_DIR: folder, ...variables });
    expect(await server.exited).toBe(1);
    expect(server.output).not.toMatch(/\.ts:\d/);
    return server.output;
  }

  it('names every wrong setting and what is allowed', async () => {
    const output = await failedBoot({ PORT: 'abc', CHUNKED_UPLOAD_MAXBYTES: '5' });
    expect(output).toMatch(/PORT=abc must be a whole number from 0 to 65535/);
    expect(output).toMatch(/Did you mean CHUNKED_UPLOAD_MAX_BYTES/);
  });

  it('names the port that is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const { port } = other.address() as AddressInfo;
    const output = await failedBoot({ PORT: String(port) });
    other.close();
    expect(output).toMatch(`Port ${port} is taken`);
    expect(output).toMatch('PORT=3001 npm start');
    expect(await isDatabaseUp()).toBe(false);
  });

  it('says that the database of DATABASE_URL is away, without its password', async () => {
    const output = await failedBoot({ DATABASE_URL: 'postgres://ann:geheim@127.0.0.1:1/files' });
    expect(output).toMatch(/The database at 127\.0\.0\.1:1 cannot be reached/);
    expect(output).toMatch(/leave DATABASE_URL out/);
    expect(output).not.toMatch(/geheim/);
  });

  it('names the folder that cannot be made', async () => {
    const output = await failedBoot({ DATA_DIR: '/dev/null/data' });
    expect(output).toMatch(/\/dev\/null\/data cannot be a folder/);
  });
});

describe('--help', () => {
  it('lists the settings', async () => {
    const help = SourceProcess.run('src/server/main.ts', ['--help']);
    expect(await help.exited).toBe(0);
    expect(help.output).toMatch(/^CHUNKED_UPLOAD_MAX_BYTES$/m);
  });
});
