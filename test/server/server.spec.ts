import { execFile } from 'node:child_process';
import { access, mkdir } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { request } from 'node:http';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { originOf, SourceProcess, startServer, temporaryFolder } from './server-process.js';

let folder: string;
let dispose: () => Promise<void>;
const servers: SourceProcess[] = [];

beforeAll(async () => ({ folder, dispose } = await temporaryFolder()));

afterEach(async () => {
  for (const server of servers.splice(0)) await server.kill('SIGTERM');
});

afterAll(() => dispose());

function start(variables: NodeJS.ProcessEnv = {}): SourceProcess {
  const server = startServer({ DATA_DIR: folder, ...variables });
  servers.push(server);
  return server;
}

/** The shell lines a newcomer is told to paste. */
function exampleIn(output: string): string {
  return output
    .split('\n')
    .filter((line) => line.includes('curl '))
    .join('\n');
}

function putChunk(
  origin: string,
  target: string,
  text: string,
  start: number,
  total: number,
): Promise<Response> {
  const range = `bytes ${start}-${start + text.length - 1}/${total}`;
  return fetch(`${origin}${target}`, { method: 'PUT', body: text, headers: { 'Content-Range': range } });
}

const isDatabaseUp = (): Promise<boolean> =>
  access(path.join(folder, 'postgres/cluster/data/postmaster.pid')).then(
    () => true,
    () => false,
  );

describe('the reference server', () => {
  it.each(['express', 'fastify'])('runs what it tells a newcomer to paste, on %s', async (adapter) => {
    const server = start({ CHUNKED_UPLOAD_ADAPTER: adapter });
    await originOf(server);
    const { stdout } = await promisify(execFile)('bash', ['-euc', exampleIn(server.output)]);
    expect(stdout).toMatch(/"offset":11.*"status":"complete".*hello world$/s);
    expect(await server.kill('SIGTERM')).toBe(0);
    expect(await isDatabaseUp()).toBe(false);
  });

  it('asks for the password it was given', async () => {
    const server = start({ CHUNKED_UPLOAD_USERS: 'ann:secret' });
    await originOf(server);
    const example = exampleIn(server.output);
    await expect(
      promisify(execFile)('bash', ['-euc', example.replaceAll(`'ann'`, 'ann:wrong')]),
    ).resolves.toMatchObject({ stdout: expect.stringMatching(/unauthenticated/) as string });
    const { stdout } = await promisify(execFile)('bash', ['-euc', example.replaceAll(`'ann'`, 'ann:secret')]);
    expect(stdout).toMatch(/hello world$/);
  });

  it('keeps uploads and their files over a restart, also after kill -9', async () => {
    const first = start();
    const created = await putChunk(await originOf(first), '/upload?filename=a.txt', 'abc', 0, 6);
    const { id } = (await created.json()) as { id: string };
    expect(await first.kill('SIGKILL')).toBe('SIGKILL');
    expect(await isDatabaseUp()).toBe(true);
    const second = start();
    const appended = await putChunk(await originOf(second), `/upload/${id}`, 'def', 3, 6);
    expect(await appended.json()).toMatchObject({ offset: 6, status: 'uploading' });
  });

  it('describes its API and lets only the pages of listed origins in', async () => {
    const origin = await originOf(start({ CORS_ORIGIN: 'https://app.example' }));
    expect((await fetch(`${origin}/docs`)).status).toBe(200);
    const document = (await (await fetch(`${origin}/docs-json`)).json()) as { paths: object };
    expect(Object.keys(document.paths)).toEqual(expect.arrayContaining(['/upload', '/upload/{id}']));
    const allowed = await fetch(`${origin}/upload`, { headers: { Origin: 'https://app.example' } });
    expect(allowed.headers.get('access-control-allow-origin')).toBe('https://app.example');
    expect(allowed.headers.get('access-control-expose-headers')).toContain('Upload-Offset');
    const other = await fetch(`${origin}/upload`, { headers: { Origin: 'https://evil.example' } });
    expect(other.headers.has('access-control-allow-origin')).toBe(false);
  });

  it('is two instances on one folder when started twice at the same moment', async () => {
    const fresh = path.join(folder, 'shared');
    const pair = [start({ DATA_DIR: fresh }), start({ DATA_DIR: fresh })] as const;
    const [one, two] = await Promise.all(pair.map(originOf));
    const created = await putChunk(one ?? '', '/upload?filename=a.txt', 'abc', 0, 6);
    const { id } = (await created.json()) as { id: string };
    expect(await pair[0].kill('SIGTERM')).toBe(0);
    expect((await putChunk(two ?? '', `/upload/${id}`, 'def', 3, 6)).status).toBe(200);
  });
});

describe('stopping', () => {
  /** A chunk whose second half comes when `finish` is called. */
  function slowChunk(origin: string): { answer: Promise<number | string>; finish: () => void } {
    const headers = { 'Content-Range': 'bytes 0-5/6', 'Content-Length': 6 };
    const outgoing = request(`${origin}/upload?filename=slow.txt`, { method: 'PUT', headers });
    const answer = new Promise<number | string>((resolve) => {
      outgoing.once('response', (response) => resolve(response.resume().statusCode ?? 0));
      outgoing.once('error', (error) => resolve(error.message));
    });
    outgoing.write('abc');
    return { answer, finish: () => outgoing.end('def') };
  }

  const later = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

  it('lets a running chunk finish', async () => {
    const server = start();
    const chunk = slowChunk(await originOf(server));
    await later(300);
    const exit = server.kill('SIGTERM');
    await server.printed(/Stopping: letting running chunks finish \(up to 10 s\)/);
    await later(300);
    chunk.finish();
    expect(await chunk.answer).toBe(200);
    expect(await exit).toBe(0);
  });

  it('ends at once at the second signal, which two signals of one Ctrl-C are not', async () => {
    const server = start();
    const chunk = slowChunk(await originOf(server));
    await later(300);
    server.child.kill('SIGINT');
    server.child.kill('SIGINT');
    await server.printed(/Stopping: /);
    await later(700);
    expect(server.output).not.toMatch(/Stopping at once/);
    expect(await server.kill('SIGINT')).toBe(130);
    expect(await chunk.answer).toMatch(/hang up|ECONNRESET/);
    expect(await isDatabaseUp()).toBe(false);
  });

  it('leaves nothing running when told to stop during the boot', async () => {
    const fresh = path.join(folder, 'interrupted');
    const server = start({ DATA_DIR: fresh });
    await server.printed(/Creating the database/);
    expect(await server.kill('SIGTERM')).toBe(0);
    expect(server.output).not.toMatch(/Listening/);
    await expect(access(path.join(fresh, 'postgres/cluster/data/postmaster.pid'))).rejects.toThrow();
  });
});

describe('a boot that fails', () => {
  it('names every wrong setting and what is allowed', async () => {
    const server = start({ PORT: 'abc', CHUNKED_UPLOAD_MAXBYTES: '5' });
    expect(await server.exited).toBe(1);
    expect(server.output).toMatch(/PORT=abc must be a whole number from 0 to 65535/);
    expect(server.output).toMatch(/Did you mean CHUNKED_UPLOAD_MAX_BYTES/);
    expect(server.output).not.toMatch(/\.ts:/);
  });

  it('names the taken port', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const { port } = other.address() as AddressInfo;
    const server = start({ PORT: String(port) });
    expect(await server.exited).toBe(1);
    other.close();
    expect(server.output).toMatch(`Port ${port} is taken`);
    expect(server.output).toMatch('PORT=3001 npm start');
    expect(await isDatabaseUp()).toBe(false);
  });

  it('says that the database of DATABASE_URL is away, without its password', async () => {
    const server = start({ DATABASE_URL: 'postgres://ann:geheim@127.0.0.1:1/files' });
    expect(await server.exited).toBe(1);
    expect(server.output).toMatch(/The database at 127\.0\.0\.1:1 cannot be reached/);
    expect(server.output).toMatch(/leave DATABASE_URL out/);
    expect(server.output).not.toMatch(/geheim|\.ts:/);
  });

  it('names the folder that cannot be made', async () => {
    await mkdir(folder, { recursive: true });
    const server = start({ DATA_DIR: '/dev/null/data' });
    expect(await server.exited).toBe(1);
    expect(server.output).toMatch(/\/dev\/null\/data cannot be a folder/);
  });
});

describe('--help', () => {
  it('lists the settings', async () => {
    const help = SourceProcess.run('src/server/main.ts', ['--help']);
    expect(await help.exited).toBe(0);
    expect(help.output).toMatch(/^CHUNKED_UPLOAD_MAX_BYTES$/m);
  });
});
