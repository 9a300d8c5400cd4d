import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Answer,
  cancel,
  multipart,
  openForm,
  openPut,
  someBytes,
  type Target,
} from './support/client.js';

const MEBIBYTE = 1024 * 1024;

/** The server's memory while it takes a chunk that would not fit: in a process of its own, where only it counts. */
describe('memory', () => {
  let server: ChildProcess;
  let root: string;
  let target: Target;

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'memory-'));
    server = fork(join(import.meta.dirname, 'support/upload-server.ts'), {
      execArgv: ['--import', join(import.meta.dirname, '../support/typescript.js')],
      env: { ...process.env, UPLOAD_ROOT: root, NODE_OPTIONS: '' },
    });
    target = ((await once(server, 'message')) as [Target])[0];
  });
  afterAll(async () => {
    server.send('stop');
    await once(server, 'exit');
    await rm(root, { recursive: true, force: true });
  });

  async function rssMiB(): Promise<number> {
    server.send('rss');
    const [{ rss }] = (await once(server, 'message')) as [{ rss: number }];
    return rss / MEBIBYTE;
  }

  /** The most that `send` makes the server take more than it has now. */
  async function growthMiB(send: () => Promise<Answer>): Promise<number> {
    const before = await rssMiB();
    let most = before;
    let isDone = false;
    const sampling = (async () => {
      while (!isDone) {
        most = Math.max(most, await rssMiB());
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    })();
    const answer = await send().finally(() => (isDone = true));
    await sampling;
    expect(answer.status).toBe(200);
    expect((await cancel(target, `/upload/${String(answer.body.id)}`)).status).toBe(204);
    return most - before;
  }

  const block = someBytes(MEBIBYTE);

  async function raw(mebibytes: number): Promise<Answer> {
    const chunk = openPut(target, mebibytes * MEBIBYTE);
    for (let sent = 0; sent < mebibytes; sent++) await chunk.send(block);
    chunk.end();
    return chunk.answer;
  }

  async function form(mebibytes: number): Promise<Answer> {
    const { head, tail } = multipart();
    const chunk = openForm(target, mebibytes * MEBIBYTE);
    await chunk.send(head);
    for (let sent = 0; sent < mebibytes; sent++) await chunk.send(block);
    await chunk.send(tail);
    chunk.end();
    return chunk.answer;
  }

  it('stays flat for a raw chunk of 1 GiB and a multipart one of 300 MiB', async () => {
    await growthMiB(() => raw(64));
    await growthMiB(() => form(64));
    const growth = { raw: await growthMiB(() => raw(1024)), form: await growthMiB(() => form(300)) };
    expect(growth.raw).toBeLessThan(100);
    expect(growth.form).toBeLessThan(100);
  }, 120_000);
});
