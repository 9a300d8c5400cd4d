import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { DataSource } from 'typeorm';
import type { CompiledSources } from '../../support/compiled-sources.js';
import { eventually } from '../../support/http.js';
import { createDatabase, filesUnder, type TestDatabase } from '../../support/test-app.js';
import { PageProxy } from './page-proxy.js';

/** A row of `chunked_upload`, as far as tests look at it. */
export interface UploadRow {
  readonly id: string;
  readonly filename: string;
  readonly status: string;
  readonly offset: string;
  readonly checksums: Readonly<Record<string, string>>;
}

/** The reference server as it is installed: compiled, in a process of its own, behind a proxy. */
export class PageSite {
  private child: ChildProcess | null = null;

  private constructor(
    readonly proxy: PageProxy,
    private readonly target: { origin: string },
    private readonly parts: {
      readonly database: TestDatabase;
      readonly source: DataSource;
      readonly folder: string;
      readonly program: string;
      readonly variables: NodeJS.ProcessEnv;
    },
  ) {}

  /** @param prefix that the proxy takes off: the page is at `<prefix>/`. */
  static async start(
    sources: CompiledSources,
    variables: NodeJS.ProcessEnv = {},
    prefix = '',
  ): Promise<PageSite> {
    const database = await createDatabase();
    const source = await new DataSource({ type: 'postgres', url: database.url }).initialize();
    // The reference server makes its tables itself.
    await source.query('DROP TABLE chunked_upload');
    const folder = await mkdtemp(join(tmpdir(), 'page-'));
    const program = sources.path('src/server/main.ts');
    const target = { origin: '' };
    const proxy = await PageProxy.start(() => target.origin, prefix);
    const site = new PageSite(proxy, target, { database, source, folder, program, variables });
    try {
      await site.boot();
      return site;
    } catch (error) {
      await site.stop();
      throw error;
    }
  }

  /** Where a browser finds the page. */
  get url(): string {
    return `${this.proxy.origin}${this.proxy.prefix}/`;
  }

  /** Starts the server, again after {@link kill}. */
  async boot(): Promise<void> {
    const { database, folder, program, variables } = this.parts;
    this.child = spawn(process.execPath, [program], {
      env: {
        ...{ PATH: process.env.PATH, PORT: '0', HOST: '127.0.0.1' },
        ...{ DATABASE_URL: database.url, DATA_DIR: folder },
        ...variables,
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.target.origin = await listening(this.child);
  }

  /** SIGKILL, and waits until the process is gone. */
  async kill(): Promise<void> {
    const { child } = this;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('close', resolve));
    child.kill('SIGKILL');
    await ended;
  }

  rows(): Promise<UploadRow[]> {
    return this.parts.source.query('SELECT * FROM chunked_upload ORDER BY created_at');
  }

  /** Files of uploads on the server's disk. */
  async files(): Promise<string[]> {
    return filesUnder(join(this.parts.folder, 'uploads'));
  }

  /** MD5 of what the server has stored, by file name. */
  async stored(): Promise<Record<string, string>> {
    const [rows, files] = [await this.rows(), await this.files()];
    const digests: Record<string, string> = {};
    for (const { id, filename } of rows) {
      const file = files.find((path) => path.endsWith(`${id}.done`));
      if (file) digests[filename] = await md5OfFile(join(this.parts.folder, 'uploads', file));
    }
    return digests;
  }

  /** Lets every upload run out of time. */
  async expireAll(): Promise<void> {
    await this.parts.source.query("UPDATE chunked_upload SET expires_at = now() - interval '1 minute'");
  }

  /** Gives every upload to somebody else, or back to nobody. */
  async hideAll(isHidden: boolean): Promise<void> {
    await this.parts.source.query('UPDATE chunked_upload SET user_id = $1', [isHidden ? 'ben' : null]);
  }

  /** Deletes every upload. */
  async clear(): Promise<void> {
    await this.parts.source.query('DELETE FROM chunked_upload');
    // The server may be deleting some at the same time.
    await eventually(async () => {
      for (const file of await this.files())
        await rm(join(this.parts.folder, 'uploads', file), { force: true });
    });
  }

  async stop(): Promise<void> {
    const { database, source, folder } = this.parts;
    await this.kill();
    await this.proxy.stop();
    await source.destroy();
    await database.drop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Its origin, once it listens. */
function listening({ stdout, pid }: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = '';
    stdout?.on('data', (text: Buffer) => {
      output += text.toString();
      const [, origin] = /Listening on (\S+)[^]*Ctrl-C stops/.exec(output) ?? [];
      if (origin !== undefined) resolve(origin);
    });
    stdout?.once('close', () => reject(new Error(`The server ${pid} did not start:\n${output}`)));
  });
}

/** Of a file too large to read at once. */
export async function md5OfFile(path: string): Promise<string> {
  const hash = createHash('md5');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
