import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { filesUnder, type TestAppOptions } from '../../support/test-app.js';

/** What the server says of itself. */
export interface Report {
  readonly rows: readonly Record<string, unknown>[];
  readonly sqlErrors: readonly string[];
  readonly prototypes: string;
  readonly rss: number;
}

const SERVER = 'test/abuse/support/abuse-server.ts';
const HOOKS = './test/support/typescript.js';

/** A server in a process and a folder of its own, with things beside that folder that nobody may touch. */
export class Abused {
  origin = '';
  log = '';
  exitCode: number | string | null = null;
  private constructor(
    readonly base: string,
    private readonly child: ChildProcess,
  ) {
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (text: Buffer) => void (this.log += text.toString()));
    child.once('exit', (code, signal) => (this.exitCode = signal ?? code));
  }

  static async start(adapter: 'express' | 'fastify', upload: TestAppOptions['upload'] = {}): Promise<Abused> {
    const base = await mkdtemp(join(tmpdir(), 'abused-'));
    await mkdir(join(base, 'inner/beside'), { recursive: true });
    for (const name of ['outer', 'inner/secret', 'inner/beside/secret'])
      await writeFile(join(base, name), 'not to be touched');
    const settings = { adapter, root: join(base, 'inner/root'), upload };
    const child = fork(SERVER, {
      execArgv: ['--import', HOOKS],
      env: { ...process.env, ABUSE_SERVER: JSON.stringify(settings), NO_COLOR: '1' },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    const abused = new Abused(base, child);
    abused.origin = (await abused.message<{ origin: string }>()).origin;
    return abused;
  }

  get root(): string {
    return join(this.base, 'inner/root');
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** Asks the server; fails when it has ended. */
  async report(): Promise<Report> {
    const answered = this.message<Report>();
    this.child.send('report');
    return answered;
  }

  /** Files of uploads, under the root. */
  files(): Promise<string[]> {
    return filesUnder(this.root);
  }

  /** Everything around the root, with sizes and times: what a path that got out would change. */
  async surroundings(): Promise<string[]> {
    const entries = await readdir(this.base, { recursive: true });
    const outside = entries.filter((name) => !name.startsWith('inner/root'));
    const facts = outside.sort().map(async (name) => {
      const { size, mtimeMs, mode } = await stat(join(this.base, name));
      return `${name} ${size} ${mtimeMs} ${mode}`;
    });
    return Promise.all(facts);
  }

  async stop(): Promise<void> {
    if (this.exitCode === null) {
      const ended = once(this.child, 'exit');
      this.child.send('stop');
      const limit = setTimeout(() => this.child.kill('SIGKILL'), 15_000);
      await ended;
      clearTimeout(limit);
    }
    await rm(this.base, { recursive: true, force: true });
  }

  private message<Message>(): Promise<Message> {
    return new Promise((resolve, reject) => {
      const onExit = () => reject(new Error(`The server ended:\n${this.log.slice(-4000)}`));
      if (this.exitCode !== null) return onExit();
      this.child.once('exit', onExit);
      this.child.once('message', (message) => {
        this.child.off('exit', onExit);
        resolve(message as Message);
      });
    });
  }
}
