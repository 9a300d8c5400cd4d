import { type ChildProcess, spawn } from 'node:child_process';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';

const PROJECT = fileURLToPath(new URL('../../', import.meta.url));

/** A program of this project in a process of its own, run from its sources. */
export class SourceProcess {
  output = '';
  readonly #exit: Promise<number | string | null>;

  private constructor(readonly child: ChildProcess) {
    const collect = (text: Buffer): void => void (this.output += text.toString());
    child.stdout?.on('data', collect);
    child.stderr?.on('data', collect);
    this.#exit = new Promise((resolve) => child.once('close', (code, signal) => resolve(signal ?? code)));
  }

  /** Starts `file` (from the project's root) with only these variables set. */
  static run(file: string, args: readonly string[], variables: NodeJS.ProcessEnv = {}): SourceProcess {
    const loader = pathToFileURL(path.join(PROJECT, 'test/support/typescript.js')).href;
    const child = spawn(process.execPath, ['--import', loader, path.join(PROJECT, file), ...args], {
      env: { PATH: process.env.PATH, ...variables },
    });
    return new SourceProcess(child);
  }

  /** Waits until the output has this in it, and returns what the pattern found. */
  async printed(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = pattern.exec(this.output);
      if (found) return found;
      const ended = await Promise.race([this.#exit, sleep(20, 'running' as const)]);
      if (ended !== 'running' && !pattern.test(this.output)) {
        throw new Error(`The process ended (${ended}) without printing ${pattern}:\n${this.output}`);
      }
    }
  }

  /** Exit code, or the name of the signal that ended it. */
  get exited(): Promise<number | string | null> {
    return this.#exit;
  }

  async kill(signal: NodeJS.Signals): Promise<number | string | null> {
    this.child.kill(signal);
    return this.#exit;
  }
}

/** Starts the reference server on a free port of 127.0.0.1. */
export function startServer(variables: NodeJS.ProcessEnv): SourceProcess {
  return SourceProcess.run('src/server/main.ts', [], { PORT: '0', HOST: '127.0.0.1', ...variables });
}

/** Where a server listens, once it does. */
export async function originOf(server: SourceProcess): Promise<string> {
  const [, origin = ''] = await server.printed(/Listening on (\S+)[^]*Ctrl-C stops/);
  return origin;
}

/** A folder that the user PostgreSQL runs as can pass, and that `dispose` removes. */
export async function temporaryFolder(): Promise<{ folder: string; dispose: () => Promise<void> }> {
  const folder = await mkdtemp(path.join(tmpdir(), 'chunked upload server-'));
  await chmod(folder, 0o755);
  return { folder, dispose: () => rm(folder, { recursive: true, force: true }) };
}
