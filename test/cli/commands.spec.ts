import { randomUUID } from 'node:crypto';
import { rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { ChunkedUploadModule, UploadApiKey, UploadApiKeysModule } from '../../src/index.js';
import { CompiledSources } from '../support/compiled-sources.js';
import { startTestApp, type TestApp } from '../support/test-app.js';
import { type Answer, commandLine, onTerminal } from './support/command-line.js';
import { AvatarUpload } from './support/site.js';

// Processes and databases start here, on machines that have other things to do.
jest.setTimeout(120_000);

const HELLO_MD5 = '5d41402abc4b2a76b9719d911017c592';

describe('chunked-upload, in processes of its own', () => {
  let server: TestApp;
  let sources: CompiledSources;
  let site: string;

  beforeAll(async () => {
    sources = await CompiledSources.compile('test/cli/support', 'test/support');
    site = sources.path('test/cli/support/site.ts');
    server = await startTestApp({
      entities: [AvatarUpload, UploadApiKey],
      imports: [
        ChunkedUploadModule.forFeature([{ entity: AvatarUpload, path: 'avatars' }]),
        UploadApiKeysModule.forRoot(),
      ],
    });
  });

  afterAll(async () => {
    await server.close();
    await sources.remove();
  });

  afterEach(() => server.dataSource.query('TRUNCATE chunked_upload, avatar, chunked_upload_api_key'));

  const program = () => ({ sources, env: { DATABASE_URL: server.database.url, ROOT: server.root } });
  const run = (...args: string[]) => commandLine(['--module', `${site}#AppModule`, ...args], program());
  const type = (args: string[], ...dialog: [RegExp, Answer][]) =>
    onTerminal(['--module', site, ...args], program(), dialog);

  const idOf = async (answer: Response) => ((await answer.json()) as { id: string }).id;
  const create = async (route = 'upload', filename = 'a.txt') => {
    const headers = { 'Content-Range': 'bytes 0-4/9' };
    return idOf(
      await fetch(`${server.origin}/${route}?filename=${encodeURIComponent(filename)}`, {
        method: 'PUT',
        headers,
        body: 'hello',
      }),
    );
  };
  const complete = async (route = 'upload') =>
    idOf(await fetch(`${server.origin}/${route}?md5=${HELLO_MD5}`, { method: 'POST', body: 'hello' }));
  const fileOf = async (id: string) =>
    join(server.root, (await server.files()).find((file) => file.includes(id)) ?? 'none');
  const expire = () =>
    server.dataSource.query(`UPDATE chunked_upload SET expires_at = now() - interval '1 h'`);

  describe('list and show', () => {
    it('lists all types newest first, by filters, as a table and as JSON', async () => {
      const [first, avatar, last] = [await create(), await complete('avatars'), await create()];
      await server.dataSource.query(
        `UPDATE chunked_upload SET user_id = 'ann', owner_type = 'album', owner_id = '7:1' WHERE id = $1`,
        [last],
      );
      const table = (await run('list')).stdout.split('\n');
      expect(table[0]).toMatch(/^ID +TYPE +STATUS +RECEIVED +USER +OWNER +CREATED +EXPIRES +FILENAME$/);
      expect(table.slice(1).map((line) => line.slice(0, 36))).toEqual([last, avatar, first]);
      expect(table[1]).toMatch(/ChunkedUpload +uploading +5 B of 9 B +ann +album:7:1/);
      const json = async (...flags: string[]) => {
        const found = JSON.parse((await run('list', '--json', ...flags)).stdout) as { id: string }[];
        return found.map(({ id }) => id);
      };
      expect(await json('--type', 'AvatarUpload')).toEqual([avatar]);
      expect(await json('--status', 'uploading', '--user', 'ann')).toEqual([last]);
      expect(await json('--owner', 'album:7:1')).toEqual([last]);
      const limited = await run('list', '--limit', '1');
      expect(limited.stdout).toContain(last);
      expect(limited.stderr).toContain('There are more');
    });

    it('shows an upload of any type, without what would let others write', async () => {
      const id = await complete('avatars');
      const shown = await run('show', id.toUpperCase(), '--json');
      expect(JSON.parse(shown.stdout)).toMatchObject({
        type: 'AvatarUpload',
        id,
        status: 'complete',
        checksums: { md5: HELLO_MD5 },
        crop: null,
        isExpired: false,
      });
      expect(shown.stdout).not.toMatch(/leaseToken|digestState/);
      expect((await run('show', id)).stdout).toMatch(/^status +complete$/m);
    });

    it('lets no file name move the cursor', async () => {
      const id = await create();
      await server.dataSource.query(`UPDATE chunked_upload SET filename = E'a\\u001b[2J\\u202e.txt'`);
      for (const { stdout } of [await run('list'), await run('show', id)]) {
        expect(stdout).toContain('a\\u{1b}[2J\\u{202e}.txt');
      }
    });
  });

  describe('exit codes', () => {
    it.each([
      [1, ['show', randomUUID()], /There is no upload/],
      [1, ['cancel', '--yes', randomUUID()], /There is no upload/],
      [1, ['verify', randomUUID()], /^$/],
      [1, ['keys', 'revoke', randomUUID()], /There is no key/],
      [2, ['show', "1' OR '1'='1"], /An id is a UUID/],
      [
        2,
        ['list', '--type', 'Nothing'],
        /There is no upload type Nothing; there are: ChunkedUpload, AvatarUpload/,
      ],
      [2, ['list', '--owner', 'album'], /type and an id with a colon/],
      [2, ['verify'], /Name ids, or say --all/],
      [2, ['cancel', randomUUID()], /no terminal to ask on. Add --yes/],
      [2, ['cleanup', '--interactive'], /no terminal to ask on/],
      [2, ['cleanup', '--interactive', '--dry-run'], /cannot be used with/],
      [2, ['keys', 'create'], /--user/],
      [2, ['keys', 'create', '--user', 'a\u0007'], /userId must be/],
      [2, ['nonsense'], /unknown command/],
      [0, ['--help'], /^$/],
    ] as const)('%i for %j', async (code, args, message) => {
      const outcome = await run(...args);
      expect(outcome.stderr).toMatch(message);
      expect(outcome.code).toBe(code);
    });

    it.each([
      ['#makeModule', 0],
      ['#promised', 0],
      ['', 0],
      ['#nothing', 2],
      ['#Missing', 2],
    ])('finds the app at %j: %i', async (name, code) => {
      expect((await commandLine(['--module', `${site}${name}`, 'list'], program())).code).toBe(code);
    });
  });

  describe('cancel', () => {
    it('deletes without a question when told so, what is there, and says what is not', async () => {
      const [id, unknown] = [await complete(), randomUUID()];
      const outcome = await run('cancel', '--yes', unknown, id, id);
      expect(outcome).toEqual({
        code: 1,
        stdout: `Deleted ${id}.`,
        stderr: `There is no upload ${unknown}.`,
      });
      expect(await server.rows()).toEqual([]);
      expect((await server.files()).filter((file) => file.includes(id))).toEqual([]);
    });

    it('asks on a terminal', async () => {
      const id = await create();
      const refused = await type(['cancel', id], [/Delete it\?/, 'n\r']);
      expect(refused.code).toBe(1);
      expect(await server.rows()).toHaveLength(1);
      const agreed = await type(['cancel', id], [/Delete it\?/, 'y\r']);
      expect(agreed.code).toBe(0);
      expect(await server.rows()).toEqual([]);
    });
  });

  describe('cleanup', () => {
    it('lists what would go, and deletes nothing', async () => {
      const id = await create();
      await expire();
      await create();
      const report = JSON.parse((await run('cleanup', '--dry-run', '--json')).stdout) as object;
      expect(report).toMatchObject({ dryRun: true, rows: 1, uploads: [{ id, type: 'ChunkedUpload' }] });
      expect((await run('cleanup', '--dry-run', '--verbose')).stdout).toMatch(
        new RegExp(`${id} +ChunkedUpload[^]*ChunkedUpload: 1 uploads \\(5 bytes\\) would be deleted`),
      );
      expect(await server.rows()).toHaveLength(2);
    });

    it('asks about each: yes, no, then all the rest', async () => {
      const ids = [await create(), await create(), await create(), await create()];
      await expire();
      for (const [index, id] of ids.entries()) {
        await server.dataSource.query(
          `UPDATE chunked_upload SET expires_at = expires_at + $2 * interval '1 second' WHERE id = $1`,
          [id, index],
        );
      }
      const asked = ids.map((id) => new RegExp(`Delete ChunkedUpload ${id}[^]*\\] `));
      const answers = ['maybe\r', 'y\r', 'No\r', 'all\r'];
      const prompts = [asked[0], asked[0], asked[1], asked[2]] as RegExp[];
      const outcome = await type(
        ['cleanup', '-i', '--keep-record'],
        ...prompts.map((prompt, i): [RegExp, Answer] => [prompt, answers[i] ?? '']),
      );
      expect(outcome.stdout).toMatch(
        /ChunkedUpload: 3 uploads \(15 bytes\) deleted\s+AvatarUpload: 0[^]*1 kept/,
      );
      expect(outcome.code).toBe(0);
      const rows = await server.rows();
      expect(rows.map(({ id, status }) => [id, status])).toEqual(
        ids.map((id, index) => [id, index === 1 ? 'uploading' : 'deleting']),
      );
    });

    it('does not delete what somebody went on with while it asked', async () => {
      const id = await create();
      await expire();
      const goOn = () =>
        server.dataSource.query(`UPDATE chunked_upload SET expires_at = now() + interval '1 h'`);
      const outcome = await type(['cleanup', '-i'], [/\] /, goOn]);
      expect(outcome.stdout).toContain('Not deleted: somebody went on with it');
      expect(await server.rows()).toMatchObject([{ id, status: 'uploading' }]);
    });

    it.each([
      ['q\r', 0],
      ['\u0003', 130],
      ['\u0004', 130],
    ])('stops at %j', async (keys, code) => {
      await create();
      await expire();
      expect((await type(['cleanup', '-i'], [/\] /, keys])).code).toBe(code);
      expect(await server.rows()).toHaveLength(1);
    });
  });

  describe('verify', () => {
    it('finds files that are changed, cut or gone, and says which', async () => {
      const [intact, changed, cut, gone] = [
        await complete(),
        await complete('avatars'),
        await complete(),
        await complete(),
      ];
      await create();
      await writeFile(await fileOf(changed), 'hellO');
      await truncate(await fileOf(cut), 3);
      await rm(await fileOf(gone));
      const outcome = await run('verify', '--all', '--json');
      expect(outcome.code).toBe(1);
      const report = JSON.parse(outcome.stdout) as { damaged: { id: string; verdict: string }[] };
      expect(report).toMatchObject({ intact: 1, unchecked: 0, interrupted: false });
      const verdicts = Object.fromEntries(report.damaged.map(({ id, verdict }) => [id, verdict]));
      expect(verdicts).toEqual({ [changed]: 'changed', [cut]: 'changed', [gone]: 'missing' });
      const some = await run('verify', intact, gone);
      expect(some.code).toBe(1);
      expect(some.stdout).toMatch(new RegExp(`^${gone}  MISSING[^]*1 files intact \\(5 B read\\), 1 not$`));
      expect(await run('verify', intact)).toMatchObject({ code: 0, stdout: '1 files intact (5 B read)' });
    });

    it('stops in the middle of a file at Ctrl-C', async () => {
      const id = await complete();
      const file = await fileOf(id);
      const big = 3 * 1024 ** 3;
      // Sparse: nothing is written, but all of it is read.
      await truncate(file, big);
      await server.dataSource.query(`UPDATE chunked_upload SET "offset" = $2, size = $2 WHERE id = $1`, [
        id,
        big,
      ]);
      const outcome = await type(['verify', '--all'], [/read, .*\/s …/, '\u0003']);
      expect(outcome.stdout).toMatch(/0 files intact[^]*interrupted, the rest was not read/);
      expect(outcome.code).toBe(130);
    });
  });

  it('keys: makes one, lists it without its secret, ends it', async () => {
    const made = await run('keys', 'create', '--user', 'ann', '--label', 'laptop', '--expires-in', '90d');
    expect(made.stdout).toMatch(/^cu_[0-9a-f-]{36}_[A-Za-z0-9_-]{43}$/);
    const id = made.stdout.slice(3, 39);
    expect((await run('keys', 'list', '--user', 'ben')).stdout).toBe('No keys.');
    const listed = await run('keys', 'list', '--json');
    expect(JSON.parse(listed.stdout)).toMatchObject([
      { id, userId: 'ann', label: 'laptop', revokedAt: null },
    ]);
    expect(listed.stdout).not.toMatch(/hash/);
    expect(await run('keys', 'revoke', id)).toMatchObject({ code: 0, stdout: `Revoked ${id}.` });
    expect((await run('keys', 'revoke', id)).code).toBe(1);
  });
});
