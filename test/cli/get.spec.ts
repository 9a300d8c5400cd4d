import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { GetOutcome } from '../../src/cli/transfer/get-run.js';
import { CompiledSources } from '../support/compiled-sources.js';
import { noise, UploadClient } from '../support/http.js';
import { startTestApp, type TestApp } from '../support/test-app.js';
import { Line } from './support/line.js';
import { RunningCommand } from './support/running-command.js';

// Processes and databases start here, on machines that have other things to do.
jest.setTimeout(120_000);

const MIB = 1024 * 1024;

describe('chunked-upload get', () => {
  let server: TestApp;
  let client: UploadClient;
  let sources: CompiledSources;
  let line: Line;
  let cwd: string;

  beforeAll(async () => {
    sources = await CompiledSources.compile();
    server = await startTestApp();
    client = new UploadClient(`${server.origin}/upload`);
  });

  afterAll(async () => {
    await server.close();
    await sources.remove();
  });

  beforeEach(async () => {
    cwd = await mkdtemp(join(tmpdir(), 'get-'));
    line = await Line.to(server.origin);
  });

  afterEach(async () => {
    await line.close();
    await rm(cwd, { recursive: true });
  });

  const start = (...args: string[]) => RunningCommand.start(['get', ...args], { sources, cwd });
  const get = (...args: string[]) => start(...args).outcome;
  const store = async (bytes: Buffer | string, filename = 'a.bin') => {
    const id = await client.store(bytes, { query: `?filename=${encodeURIComponent(filename)}` });
    return { id, url: `${line.origin}/upload/${id}` };
  };
  const outcomes = (stdout: string) => stdout.split('\n').map((text) => JSON.parse(text) as GetOutcome);
  const partBytes = async () => {
    const part = (await readdir(cwd)).find((name) => name.endsWith('.part'));
    return part === undefined ? 0 : (await stat(join(cwd, part))).size;
  };
  /** Begins a slow download, and ends it by a signal when some of it is there. */
  const breakOff = async (url: string, signal: NodeJS.Signals) => {
    line.bytesPerSecond = 4 * MIB;
    const command = await start(url).until(async () => (await partBytes()) >= MIB);
    const outcome = await command.kill(signal);
    line.bytesPerSecond = Infinity;
    return outcome;
  };

  it('saves files by their names, and says that they were verified', async () => {
    const bytes = noise(2 * MIB);
    const [one, two] = [await store(bytes, 'Ürlaub 漢.mp4'), await store('two', 'two.txt')];
    const { code, stdout, stderr } = await get(one.url, `${two.url}/content`);
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(stdout.split('\n').sort()[1]).toMatch(/^Ürlaub 漢\.mp4 {2}2 MB in \d+ s, md5 verified$/);
    expect((await readFile(join(cwd, 'Ürlaub 漢.mp4'))).equals(bytes)).toBe(true);
    expect((await readdir(cwd)).sort()).toEqual(['two.txt', 'Ürlaub 漢.mp4']);
  });

  it('to a folder, a file or standard output, and an empty file too', async () => {
    const [some, empty] = [await store('some', 's.txt'), await store('', 'empty')];
    await mkdir(join(cwd, 'folder'));
    expect((await get(some.url, empty.url, '-o', 'folder', '--quiet')).stdout).toBe('');
    expect((await readdir(join(cwd, 'folder'))).sort()).toEqual(['empty', 's.txt']);
    expect((await get(some.url, '-o', 'other')).code).toBe(0);
    expect(await readFile(join(cwd, 'other'), 'utf8')).toBe('some');
    const piped = await get(some.url, '-o', '-');
    expect(piped.bytes.toString()).toBe('some');
    expect(piped.stderr).toMatch(/^standard output {2}4 B in \d+ s, md5 verified$/);
  });

  it.each([
    ['.bashrc', '_bashrc'],
    ['..\\..\\a.txt', 'a.txt'],
    ['a:b?.txt', 'a_b_.txt'],
    // Such that its name while it is incomplete is one that file systems take.
    [`${'漢'.repeat(82)}.pdf`, `${'漢'.repeat(65)}.pdf`],
    [`${'💾'.repeat(60)}.pdf`, `${'💾'.repeat(49)}.pdf`],
  ])('writes %j as %s', async (filename, expected) => {
    expect((await get((await store('x', filename)).url)).code).toBe(0);
    expect(await readdir(cwd)).toEqual([expected]);
  });

  it('replaces nothing unless told so', async () => {
    const { url } = await store('new', 'a.txt');
    await writeFile(join(cwd, 'a.txt'), 'old');
    const refused = await get(url, '--json');
    expect(refused.code).toBe(1);
    expect(outcomes(refused.stdout)).toMatchObject([{ status: 'failed', error: { code: 'exists' } }]);
    expect(refused.stderr).toMatch(/a\.txt is there already\. Add --force/);
    expect(await readFile(join(cwd, 'a.txt'), 'utf8')).toBe('old');
    expect((await get(url, '--force')).code).toBe(0);
    expect(await readFile(join(cwd, 'a.txt'), 'utf8')).toBe('new');
    expect(await readdir(cwd)).toEqual(['a.txt']);
  });

  it.each<[NodeJS.Signals, number | string]>([
    ['SIGKILL', 'SIGKILL'],
    ['SIGINT', 130],
  ])('goes on after %s', async (signal, ended) => {
    const bytes = noise(6 * MIB);
    const { url } = await store(bytes);
    const stopped = await breakOff(url, signal);
    expect(stopped.code).toBe(ended);
    if (signal === 'SIGINT')
      expect(stopped.stderr).toMatch(/stopped\. What arrived is kept in a\.bin\.[0-9a-f]{8}\.part/);
    const { code, stdout } = await get(url, '--json');
    expect(code).toBe(0);
    const [outcome] = outcomes(stdout);
    expect(outcome).toMatchObject({ status: 'complete', size: bytes.length, verified: ['md5'] });
    expect(outcome?.resumedFrom).toBeGreaterThanOrEqual(MIB);
    expect((await readFile(join(cwd, 'a.bin'))).equals(bytes)).toBe(true);
    expect(await readdir(cwd)).toEqual(['a.bin']);
  });

  it('goes on by itself when the connection breaks', async () => {
    const bytes = noise(6 * MIB);
    const { url } = await store(bytes);
    line.bytesPerSecond = 4 * MIB;
    const command = await start(url).until(async () => (await partBytes()) >= MIB);
    line.cut();
    line.bytesPerSecond = Infinity;
    line.mend();
    expect((await command.outcome).code).toBe(0);
    expect((await readFile(join(cwd, 'a.bin'))).equals(bytes)).toBe(true);
  });

  it('starts over when what was kept is damaged', async () => {
    const bytes = noise(6 * MIB);
    const { url } = await store(bytes);
    await breakOff(url, 'SIGKILL');
    const [part = ''] = await readdir(cwd);
    await writeFile(join(cwd, part), noise(MIB));
    const { code, stdout } = await get(url, '--json');
    expect(code).toBe(0);
    expect(outcomes(stdout)).toMatchObject([{ resumedFrom: 0 }]);
    expect((await readFile(join(cwd, 'a.bin'))).equals(bytes)).toBe(true);
  });

  it('mixes nothing up when several fetch the same file at once', async () => {
    const bytes = noise(6 * MIB);
    const { url } = await store(bytes);
    line.bytesPerSecond = 4 * MIB;
    const first = await start(url).until(async () => (await partBytes()) >= MIB);
    const ended = await Promise.all([first.outcome, get(url), get(url)]);
    expect(ended.filter(({ code }) => code === 0)).toHaveLength(1);
    for (const { code, stderr } of ended) expect(stderr).toMatch(code === 0 ? /^/ : /is there already/);
    expect((await readFile(join(cwd, 'a.bin'))).equals(bytes)).toBe(true);
    expect(await readdir(cwd)).toEqual(['a.bin']);
  });

  it('never replaces what is no plain file', async () => {
    const { url } = await store('new', 'a.txt');
    await mkdir(join(cwd, 'a.txt'));
    const { code, stderr } = await get(url, '--force');
    expect(code).toBe(1);
    expect(stderr).toMatch(/a\.txt is no plain file/);
    expect((await get(url, '--force', '-o', '/dev/null')).code).toBe(1);
    expect((await stat('/dev/null')).isCharacterDevice()).toBe(true);
  });

  it('keeps nothing of bytes that are not those that were uploaded', async () => {
    const { id, url } = await store(noise(MIB));
    const path = (await server.files()).find((name) => name.includes(id)) ?? '';
    await writeFile(join(server.root, path), noise(MIB));
    const { code, stderr } = await get(url);
    expect(code).toBe(1);
    expect(stderr).toMatch(/The bytes that arrived are not those that were uploaded/);
    expect(await readdir(cwd)).toEqual([]);
    const piped = await get(url, '-o', '-');
    expect(piped.code).toBe(1);
    expect(piped.stderr).toMatch(/are not those/);
  });

  it('says what is wrong', async () => {
    const unfinished = await client.create(noise(100), { length: 50 });
    const outcome = await get(
      `${line.origin}/upload/${unfinished}`,
      `${line.origin}/upload/0199a5e2-7c1d-7b3e-9f00-5d2c8a417e11`,
      `${line.origin}/elsewhere`,
      '--json',
    );
    expect(outcome.code).toBe(1);
    expect(
      outcomes(outcome.stdout)
        .map(({ error }) => error?.code)
        .sort(),
    ).toEqual(['http', 'incomplete', 'not_found']);
    expect(outcome.stderr).toMatch(/not complete yet[^]*no such upload|no such upload[^]*not complete yet/i);
    // A port on which nobody listens any more.
    const gone = await Line.to(server.origin);
    const { origin } = gone;
    await gone.close();
    const away = await get(`${origin}/upload/${unfinished}`, '--retries', '0');
    expect(away.code).toBe(1);
    expect(away.stderr).toMatch(/did not answer/);
  });

  it('takes its credentials nowhere else', async () => {
    const { url } = await store('secret');
    const asked: (string | undefined)[] = [];
    const elsewhere = createServer((request, response) => {
      asked.push(request.url);
      response.writeHead(308, { Location: url }).end();
    });
    await once(elsewhere.listen(0, '127.0.0.1'), 'listening');
    const { port } = elsewhere.address() as AddressInfo;
    const { code, stderr } = await get(`http://127.0.0.1:${port}/upload/1`, '-H', 'X-Api-Key: k');
    elsewhere.close();
    expect(code).toBe(1);
    expect(stderr).toMatch(/308\. It sends callers elsewhere/);
    expect(asked).toEqual(['/upload/1']);
  });

  it('says who has to sign in, whatever a gateway calls its 401', async () => {
    const gateway = createServer((_, response) => response.writeHead(401).end('{"code":"invalid_token"}'));
    await once(gateway.listen(0, '127.0.0.1'), 'listening');
    const { port } = gateway.address() as AddressInfo;
    const { code, stdout, stderr } = await get(`http://127.0.0.1:${port}/upload/1`, '--json');
    gateway.close();
    expect(code).toBe(1);
    expect(outcomes(stdout)).toMatchObject([{ error: { code: 'unauthenticated', status: 401 } }]);
    expect(stderr).toMatch(/Say who you are/);
  });

  it.each([
    ['a date', () => new Date(Date.now() + 60_000).toUTCString()],
    ['more seconds than a timer can count', () => String(40 * 24 * 3600)],
  ])('waits as long as the server asks it to: %s', async (_, retryAfter) => {
    let asked = 0;
    const busy = createServer((_request, response) => {
      asked += 1;
      response.writeHead(503, { 'Retry-After': retryAfter() }).end();
    });
    await once(busy.listen(0, '127.0.0.1'), 'listening');
    const { port } = busy.address() as AddressInfo;
    const command = await start(`http://127.0.0.1:${port}/upload/1`).until(() => asked > 0);
    // Twice what it would wait at first by itself.
    await sleep(1000);
    expect((await command.kill('SIGINT')).code).toBe(130);
    busy.close();
    expect(asked).toBe(1);
  });

  it('takes no more than there is', async () => {
    const endless = createServer((request, response) => {
      if (!request.url?.endsWith('/content')) return void response.end('{}');
      if (request.method === 'HEAD') return void response.writeHead(200, { 'Content-Length': 10 }).end();
      const more = () => void (response.destroyed || response.write(noise(MIB), () => setTimeout(more, 10)));
      more();
    });
    await once(endless.listen(0, '127.0.0.1'), 'listening');
    const { port } = endless.address() as AddressInfo;
    const { code, stderr } = await get(`http://127.0.0.1:${port}/upload/1`);
    endless.close();
    expect(code).toBe(1);
    expect(stderr).toMatch(/are not those that were uploaded/);
    expect(await readdir(cwd)).toEqual([]);
  });

  it.each([
    [[], /missing required argument/],
    [['nowhere'], /is no address/],
    [['http://a/1', 'http://a/2', '-o', 'file'], /name a folder/],
    [['http://a/1', '-o', '-', '--json'], /for the file or for --json/],
  ])('%j: code 2', async (args, message) => {
    const { code, stderr } = await get(...args);
    expect(stderr).toMatch(message);
    expect(code).toBe(2);
  });
});
