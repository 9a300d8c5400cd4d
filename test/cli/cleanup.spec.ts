import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { createProgram } from '../../src/cli/program.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

describe('chunked-upload cleanup', () => {
  let server: TestApp;

  beforeAll(async () => {
    server = await startTestApp({ upload: { expiresIn: '1h' } });
  });

  afterAll(() => server.close());

  afterEach(async () => {
    jest.restoreAllMocks();
    process.exitCode = 0;
    await server.dataSource.query('DELETE FROM chunked_upload');
  });

  const create = () =>
    fetch(`${server.origin}/upload`, {
      method: 'PUT',
      headers: { 'Content-Range': 'bytes 0-4/9' },
      body: 'hello',
    });

  const expire = () =>
    server.dataSource.query(`UPDATE chunked_upload SET expires_at = now() - interval '1 second'`);

  /** Runs the command in a second instance, as it does beside a server, and returns what it printed. */
  const run = async (...flags: string[]) => {
    const printed = jest.spyOn(console, 'log').mockImplementation(() => undefined);
    const second = await startTestApp({ database: server.database, root: server.root });
    const program = createProgram(() => Promise.resolve(second.app));
    program.exitOverride().configureOutput({ writeErr: () => undefined });
    for (const command of program.commands)
      command.exitOverride().configureOutput({ writeErr: () => undefined });
    await program.parseAsync(['cleanup', ...flags], { from: 'user' }).finally(() => second.app.close());
    return printed.mock.calls.map(([line]) => String(line)).join('\n');
  };

  it('deletes what has expired, rows and bytes, and spares the rest', async () => {
    await create();
    await expire();
    await create();
    expect(await run()).toBe('ChunkedUpload: 1 uploads (5 bytes) deleted');
    expect(await server.rows()).toHaveLength(1);
    expect(await server.files()).toHaveLength(1);
  });

  it('deletes nothing in a dry run, and reports as JSON', async () => {
    await create();
    await expire();
    expect(JSON.parse(await run('--dry-run', '--json'))).toMatchObject({
      dryRun: true,
      rows: 1,
      bytes: 5,
      failures: 0,
      types: { ChunkedUpload: { rows: 1, bytes: 5, failures: 0 } },
      uploads: [{ type: 'ChunkedUpload', status: 'uploading', offset: 5 }],
    });
    expect(await server.rows()).toHaveLength(1);
  });

  it('takes unfinished ones of any age, or without activity for a while', async () => {
    await create();
    expect(await run('--older-than', '1h')).toContain('0 uploads');
    expect(await run('--unfinished', '--keep-records')).toContain('1 uploads (5 bytes) deleted');
    expect(await server.rows()).toMatchObject([{ status: 'deleting', storage_key: null }]);
  });

  it.each([
    ['--unfinished', '--older-than', '1h'],
    ['--older-than', '3'],
    ['--limit', '0'],
    ['--type', 'Nothing'],
    ['--nonsense'],
  ])('refuses %s %s', async (...flags) => {
    await expect(run(...flags)).rejects.toThrow();
  });
});
