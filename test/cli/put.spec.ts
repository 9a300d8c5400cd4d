import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { appendFile, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { PutOutcome } from '../../src/cli/transfer/put-run.js';
import { BasicAuthGuard } from '../../src/index.js';
import { FaultProxy } from '../client/support/fault-proxy.js';
import { CompiledSources } from '../support/compiled-sources.js';
import { hash, md5, noise } from '../support/http.js';
import { startTestApp, type TestApp } from '../support/test-app.js';
import { onTerminal } from './support/command-line.js';
import { Line } from './support/line.js';
import { RunningCommand } from './support/running-command.js';

// Processes and databases start here, on machines that have other things to do.
jest.setTimeout(120_000);

const MIB = 1024 * 1024;

describe('chunked-upload put', () => {
  let server: TestApp;
  let sources: CompiledSources;
  let line: Line;
  let cwd: string;

  beforeAll(async () => {
    sources = await CompiledSources.compile();
    server = await startTestApp();
  });

  afterAll(async () => {
    await server.close();
    await sources.remove();
  });

  beforeEach(async () => {
    cwd = await mkdtemp(join(tmpdir(), 'put-'));
    line = await Line.to(server.origin);
  });

  afterEach(async () => {
    await line.close();
    await server.dataSource.query('TRUNCATE chunked_upload');
    await rm(cwd, { recursive: true });
  });

  const start = (args: readonly string[], env: NodeJS.ProcessEnv = {}) =>
    RunningCommand.start(['put', ...args], { sources, cwd, env });
  const put = (...args: string[]) => start([...args, '--to', `${line.origin}/upload`]).outcome;
  const file = async (name: string, bytes: Buffer | string) => {
    await mkdir(join(cwd, name, '..'), { recursive: true });
    await writeFile(join(cwd, name), bytes);
    return name;
  };
  const outcomes = (stdout: string) => stdout.split('\n').map((text) => JSON.parse(text) as PutOutcome);
  const stored = async () => (await server.rows()).map(({ filename }) => String(filename)).sort();
  const offset = async () => Number((await server.rows())[0]?.offset ?? 0);
  const bytesOf = async (url: string) =>
    Buffer.from(await (await fetch(`${url.replace(line.origin, server.origin)}/content`)).arrayBuffer());
  const remembered = async () =>
    (await readdir(join(cwd, '.cache/nestjs-chunked-upload')).catch(() => [])).sort();

  describe('uploads', () => {
    it('a file, and says where it is', async () => {
      const bytes = noise(3 * MIB);
      const { code, stdout, stderr } = await put(await file('video.mp4', bytes));
      expect(stderr).toBe('');
      expect(code).toBe(0);
      expect(stdout).toMatch(/^video\.mp4 {2}http:\S+ {2}3 MB in \d+ s, md5 [0-9a-f]{32}$/);
      expect(await server.rows()).toMatchObject([{ status: 'complete', content_type: 'video/mp4' }]);
      expect((await bytesOf(stdout.split('  ')[1] ?? '')).equals(bytes)).toBe(true);
      expect(await remembered()).toEqual([]);
    });

    it('several and whole folders, without what is hidden or a link', async () => {
      for (const name of [
        'one.txt',
        'tree/a.txt',
        'tree/b/c.txt',
        'tree/.secret',
        'tree/.git/x',
        'tree/empty',
      ]) {
        await file(name, name.endsWith('empty') ? '' : name);
      }
      await symlink('../one.txt', join(cwd, 'tree/link.txt'));
      const { code, stdout, stderr } = await put('one.txt', 'tree', '--json', '--parallel', '2');
      expect(code).toBe(0);
      expect(stderr).toMatch(/^3 entries of folders left out/);
      const paths = outcomes(stdout).map(({ file: path, status }) => [path, status]);
      expect(paths.sort()).toEqual(
        ['one.txt', 'tree/a.txt', 'tree/b/c.txt', 'tree/empty'].map((path) => [path, 'complete']),
      );
      expect(await stored()).toEqual(['a.txt', 'c.txt', 'empty', 'one.txt']);
      expect((await put('tree', '--hidden', '--quiet')).stdout).toBe('');
      expect(await stored()).toContain('.secret');
    });

    it('where nothing can be remembered, and says so', async () => {
      await file('a.txt', 'a');
      const env = { XDG_CACHE_HOME: '/dev/null' };
      const { code, stderr } = await start(['a.txt', '--to', `${line.origin}/upload`], env).outcome;
      expect(stderr).toMatch(/^Nothing can be remembered in \/dev\/null\/\S+ \(ENOTDIR\)/);
      expect(code).toBe(0);
    });

    it('standard input, under a name', async () => {
      const bytes = noise(2 * MIB + 7);
      const command = start(['-', '--name', 'piped.bin', '--to', `${line.origin}/upload`, '--json']);
      command.child.stdin.end(bytes);
      const { code, stdout } = await command.outcome;
      expect(code).toBe(0);
      const [outcome] = outcomes(stdout);
      expect(outcome).toMatchObject({
        file: '-',
        filename: 'piped.bin',
        size: bytes.length,
        status: 'complete',
      });
      expect(outcome?.checksum).toEqual({ algorithm: 'md5', hex: md5(bytes) });
      expect(await server.rows()).toMatchObject([{ filename: 'piped.bin', checksums: { md5: md5(bytes) } }]);
    });

    it('many at a time, without a warning of Node', async () => {
      const names = ['1', '2', '3', '4', '5', '6'];
      for (const name of names) await file(name, noise(MIB));
      const { code, stderr } = await put(...names, '--parallel', '6');
      expect(stderr).toBe('6 files are uploaded.');
      expect(code).toBe(0);
    });

    it('all of them, though whoever read the output has left', async () => {
      for (const name of ['a', 'b', 'c']) await file(name, noise(MIB));
      const command = start(['a', 'b', 'c', '--json', '--parallel', '1', '--to', `${line.origin}/upload`]);
      command.child.stdout.destroy();
      const { code, stderr } = await command.outcome;
      expect(stderr).toBe('');
      expect(code).toBe(0);
      expect(await stored()).toEqual(['a', 'b', 'c']);
    });

    it('with what was asked for: name, chunk size, a checksum of another kind', async () => {
      const sha256 = await startTestApp({ upload: { checksum: 'sha256' } });
      const to = ['--to', `${sha256.origin}/upload`];
      await file('a.bin', 'hello');
      const { stdout, code } = await start([
        'a.bin',
        '--name',
        'b.bin',
        '--chunk-size',
        '2b',
        '--json',
        ...to,
      ]).outcome;
      expect(code).toBe(0);
      const checksum = { algorithm: 'sha256', hex: hash('sha256', 'hello') };
      expect(outcomes(stdout)).toMatchObject([{ filename: 'b.bin', checksum }]);
      const wrong = await start(['a.bin', '--checksum', 'md5', ...to]).outcome;
      expect(wrong.code).toBe(1);
      expect(wrong.stderr).toMatch(/^a\.bin: .*sha256/);
      await sha256.close();
    });
  });

  it('draws bars on a terminal, and wipes them for the lines that stay', async () => {
    line.bytesPerSecond = 4 * MIB;
    for (const name of ['a.bin', 'b.bin']) await file(name, noise(3 * MIB));
    const env = { XDG_CACHE_HOME: cwd, NO_COLOR: '1' };
    const args = ['put', join(cwd, 'a.bin'), join(cwd, 'b.bin'), '--to', `${line.origin}/upload`];
    const { code, stdout } = await onTerminal([...args, '--chunk-size', '512kb'], { sources, env }, []);
    expect(code).toBe(0);
    expect(stdout).toMatch(/\[=+> *\] +\d+ % +[\d.]+ [KM]B\/s +\d+ s left/);
    expect(stdout).toMatch(/\d of 2 files +\[=*> *\]/);
    // Up to the first line, all below wiped, then the line that stays.
    expect(stdout.replaceAll('\u001b', '^')).toMatch(/\^\[\d+A\r\^\[J\S+\.bin {2}http/);
    expect(stdout).toMatch(/2 files are uploaded\.\s*$/);
    expect(stdout).not.toContain('\u001b[32m');
  });

  describe('goes on', () => {
    const begin = async (name: string, ...args: string[]) => {
      line.bytesPerSecond = 4 * MIB;
      const command = start([name, '--to', `${line.origin}/upload`, '--chunk-size', '512kb', ...args]);
      return command.until(async () => (await offset()) >= 2 * MIB);
    };

    it('after kill -9, with the same command, without sending more than a chunk twice', async () => {
      const bytes = noise(8 * MIB);
      const command = await begin(await file('big.bin', bytes));
      expect((await command.kill('SIGKILL')).code).toBe('SIGKILL');
      line.bytesPerSecond = Infinity;
      const { code, stdout } = await put('big.bin', '--chunk-size', '512kb', '--json');
      expect(code).toBe(0);
      const [outcome] = outcomes(stdout);
      expect(outcome?.resumedFrom).toBeGreaterThanOrEqual(2 * MIB);
      expect(await server.rows()).toMatchObject([{ status: 'complete', checksums: { md5: md5(bytes) } }]);
      // A chunk that was on its way, and the headers.
      expect(line.sentBytes).toBeLessThan(bytes.length + MIB);
      expect(await remembered()).toEqual([]);
    });

    it('after Ctrl-C, which says what is kept, and ends with 130', async () => {
      const bytes = noise(6 * MIB);
      const command = await begin(await file('big.bin', bytes));
      const stopped = await command.kill('SIGINT');
      expect(stopped.code).toBe(130);
      expect(stopped.stderr).toMatch(
        /^Stopped\.\n {2}big\.bin: the server keeps at least [\d.]+ MB of 6 MB, \d+ %\nRun the same command again to go on\.$/,
      );
      line.bytesPerSecond = Infinity;
      const { code, stdout } = await put('big.bin');
      expect(code).toBe(0);
      expect(stdout).toMatch(/went on at [\d.]+ MB, md5/);
      expect(await server.rows()).toMatchObject([{ status: 'complete', checksums: { md5: md5(bytes) } }]);
    });

    it('after Ctrl-C at its very beginning, and waits for nothing but the answer', async () => {
      const proxy = await FaultProxy.start(server.origin);
      proxy.fail({ method: 'PUT', delayMs: 500 });
      const to = ['--to', `${proxy.origin}/upload`];
      const command = start([await file('small.txt', 'small'), ...to]);
      await command.until(() => proxy.seen[0]?.bytes === 5);
      const stoppedAt = Date.now();
      expect((await command.kill('SIGINT')).code).toBe(130);
      expect(Date.now() - stoppedAt).toBeLessThan(4000);
      expect((await start(['small.txt', ...to]).outcome).code).toBe(0);
      expect(await stored()).toEqual(['small.txt']);
      await proxy.stop();
    });

    it('behind the files of a folder that are done', async () => {
      await file('tree/a.txt', 'small');
      await file('tree/b.bin', noise(6 * MIB));
      line.bytesPerSecond = 4 * MIB;
      const words = ['tree', '--to', `${line.origin}/upload`];
      const command = start([...words, '--parallel', '1', '--chunk-size', '512kb']);
      await command.until(async () => (await server.rows()).some(({ offset }) => Number(offset) >= 2 * MIB));
      expect((await command.kill('SIGKILL')).code).toBe('SIGKILL');
      line.bytesPerSecond = Infinity;
      // Torn by the crash, as far as anybody knows.
      const [journal = ''] = (await remembered()).filter((name) => name.startsWith('put-'));
      await appendFile(join(cwd, '.cache/nestjs-chunked-upload', journal), '{"path":"/torn');
      const again = await put('tree', '--json');
      expect(
        outcomes(again.stdout)
          .map(({ file: path, status }) => [path, status])
          .sort(),
      ).toEqual([
        ['tree/a.txt', 'skipped'],
        ['tree/b.bin', 'complete'],
      ]);
      expect(await server.rows()).toHaveLength(2);
      expect(await remembered()).toEqual([]);
      // Everything was done: the same command means the same again.
      await put('tree', '--quiet');
      expect(await server.rows()).toHaveLength(4);
    });

    it('but not with another file of the same name, and not when told so', async () => {
      const command = await begin(await file('big.bin', noise(6 * MIB)));
      await command.kill('SIGKILL');
      line.bytesPerSecond = Infinity;
      const other = noise(6 * MIB);
      await file('big.bin', other);
      const { stdout } = await put('big.bin', '--json');
      expect(outcomes(stdout)).toMatchObject([{ resumedFrom: 0, checksum: { hex: md5(other) } }]);
      await put('big.bin', '--no-resume');
      expect((await server.rows()).map(({ status }) => status)).toEqual([
        'uploading',
        'complete',
        'complete',
      ]);
    });

    it('while the server is away, when it is back', async () => {
      const bytes = noise(6 * MIB);
      const command = await begin(await file('big.bin', bytes));
      line.cut();
      line.bytesPerSecond = Infinity;
      await new Promise((resolve) => setTimeout(resolve, 700));
      line.mend();
      expect((await command.outcome).code).toBe(0);
      expect(await server.rows()).toMatchObject([{ status: 'complete', checksums: { md5: md5(bytes) } }]);
    });

    it('not with a file that somebody writes to meanwhile', async () => {
      const command = await begin(await file('big.bin', noise(6 * MIB)));
      await appendFile(join(cwd, 'big.bin'), 'more');
      line.bytesPerSecond = Infinity;
      const { code, stderr } = await command.outcome;
      expect(stderr).toMatch(
        /^big\.bin: big\.bin changed while it was uploaded\. Run the same command again when/,
      );
      expect(code).toBe(1);
    });

    it('not from standard input', async () => {
      line.bytesPerSecond = 2 * MIB;
      const command = start(['-', '--name', 'x', '--to', `${line.origin}/upload`, '--chunk-size', '512kb']);
      command.child.stdin.write(noise(3 * MIB));
      await command.until(async () => (await offset()) >= MIB);
      const { code, stderr } = await command.kill('SIGINT');
      expect(stderr).toMatch(/^Stopped\.\nWhat is unfinished cannot be gone on with/);
      expect(code).toBe(130);
    });
  });

  describe('fails', () => {
    it('for what cannot be read, and uploads the rest', async () => {
      await file('good.txt', 'good');
      await symlink('loop', join(cwd, 'loop'));
      await mkdir(join(cwd, 'nothing'));
      const names = ['missing', 'good.txt', 'loop', 'nothing', '/dev/null'];
      const { code, stdout, stderr } = await put(...names);
      expect(code).toBe(1);
      expect(stdout).toMatch(/^good\.txt /);
      expect(stderr.split('\n')).toEqual([
        'missing: There is no such file.',
        'loop: It is a symbolic link to itself.',
        'nothing: There is no file in this folder to upload.',
        expect.stringMatching(/^\/dev\/null: It is no file\./),
        '1 of 5 files are uploaded. The same command tries the others again.',
      ]);
      expect(await stored()).toEqual(['good.txt']);
      const json = outcomes((await put(...names, '--json')).stdout);
      expect(json.map(({ status }) => status)).toEqual(['failed', 'failed', 'failed', 'failed', 'skipped']);
    });

    it('at an address that sends callers elsewhere', async () => {
      await file('a.txt', 'a');
      const elsewhere = createServer((_, response) => response.writeHead(308, { Location: '/b' }).end());
      await once(elsewhere.listen(0, '127.0.0.1'), 'listening');
      const { port } = elsewhere.address() as AddressInfo;
      const { code, stderr } = await start(['a.txt', '--to', `http://127.0.0.1:${port}/upload`]).outcome;
      elsewhere.close();
      expect(code).toBe(1);
      expect(stderr).toMatch(/308\. It sends callers elsewhere; name that address yourself/);
    });

    it('on its way, and names what was begun', async () => {
      await file('a.bin', noise(MIB));
      const proxy = await FaultProxy.start(server.origin);
      proxy.fail({ method: 'PUT', after: 1, answer: { status: 400 } });
      const to = `${proxy.origin}/upload`;
      const { stdout } = await start(['a.bin', '--chunk-size', '256kb', '--json', '--to', to]).outcome;
      await proxy.stop();
      const [row] = await server.rows();
      const id = String(row?.id);
      expect(outcomes(stdout)).toMatchObject([{ status: 'failed', id, url: `${to}/${id}` }]);
    });

    it('at an address that is wrong', async () => {
      await file('a.txt', 'a');
      const route = await start(['a.txt', '--to', `${line.origin}/nothing`]).outcome;
      expect(route).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/404\. Is there an upload route/),
      });
      line.cut();
      const away = await start(['a.txt', '--to', `${line.origin}/upload`, '--retries', '0', '--json'])
        .outcome;
      expect(away.code).toBe(1);
      expect(outcomes(away.stdout)).toMatchObject([
        { status: 'failed', url: null, error: { code: 'network' } },
      ]);
      expect(away.stderr).toMatch(/^a\.txt: .*Check the address/);
    });

    it.each([
      [['a.txt'], /--to/],
      [['a.txt', '--to', 'nowhere'], /nowhere is no address/],
      [['a.txt', '--to', 'ftp://a/upload'], /is no address/],
      [['-', '--to', 'http://a/upload'], /add --name/],
      [['-', 'a.txt', '--name', 'x', '--to', 'http://a/upload'], /goes alone/],
      [['a.txt', 'b.txt', '--name', 'x', '--to', 'http://a/upload'], /--name is for one file/],
      [['a.txt', '--to', 'http://a/upload', '--user', 'ann'], /a name and a password with a colon/],
      [['a.txt', '--to', 'http://a/upload', '--user', 'a:b', '--bearer', 'c'], /not by both/],
      [['a.txt', '--to', 'http://a/upload', '--header', 'a b: c'], /Write a header/],
      [['a.txt', '--to', 'http://a/upload', '--header', 'a: b\r\nc: d'], /Write a header/],
      [['a.txt', '--to', 'http://a/upload', '--chunk-size', '8'], /Write a size with its unit/],
      [['a.txt', '--to', 'http://a/upload', '--checksum', 'crc'], /Allowed choices/],
    ])('%j: code 2', async (args, message) => {
      await file('a.txt', 'a');
      const { code, stderr } = await start(args).outcome;
      expect(stderr).toMatch(message);
      expect(code).toBe(2);
    });
  });

  describe('says who is calling', () => {
    let guarded: TestApp;

    beforeAll(async () => {
      guarded = await startTestApp({
        upload: { anonymous: false, guards: [new BasicAuthGuard({ users: { ann: 'se:crét' } })] },
      });
    });

    afterAll(() => guarded.close());

    it.each<[string, (url: URL) => string[], NodeJS.ProcessEnv, number]>([
      ['by --user', (url) => ['--to', url.href, '--user', 'ann:se:crét'], {}, 0],
      ['by the environment', (url) => ['--to', url.href], { CHUNKED_UPLOAD_USER: 'ann:se:crét' }, 0],
      [
        'by the address, which is never printed with it',
        (url) => ['--to', Object.assign(new URL(url), { username: 'ann', password: 'se:crét' }).href],
        {},
        0,
      ],
      [
        'by a header',
        (url) => [
          '--to',
          url.href,
          '-H',
          `authorization: Basic ${Buffer.from('ann:se:crét').toString('base64')}`,
        ],
        {},
        0,
      ],
      ['wrongly', (url) => ['--to', url.href, '--user', 'ann:wrong'], {}, 1],
      ['not at all', (url) => ['--to', url.href], {}, 1],
    ])('%s', async (_, args, env, expected) => {
      await file('a.txt', 'a');
      const { code, stdout, stderr } = await start(
        ['a.txt', ...args(new URL(`${guarded.origin}/upload`))],
        env,
      ).outcome;
      expect(code).toBe(expected);
      expect(stdout + stderr).not.toMatch(/cr%C3%A9t|crét/);
      if (expected === 1) expect(stderr).toMatch(/Say who you are: --user/);
      else expect((await guarded.rows()).at(-1)).toMatchObject({ user_id: 'ann', status: 'complete' });
    });
  });
});
