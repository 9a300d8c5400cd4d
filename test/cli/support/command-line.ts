import { spawn } from 'node:child_process';
import type { CompiledSources } from '../../support/compiled-sources.js';

/** The compiled sources, and the variables that the program sees. */
export interface Program {
  readonly sources: CompiledSources;
  readonly env: NodeJS.ProcessEnv;
}

/** What a command did. */
export interface Outcome {
  readonly code: number | string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** What is typed, or something to be done before `y` is typed. */
export type Answer = string | (() => Promise<unknown>);

/** Runs `npx chunked-upload …` in a process of its own. */
export async function commandLine(args: readonly string[], { sources, env }: Program): Promise<Outcome> {
  const child = spawn(process.execPath, [sources.path('src/cli/main.ts'), ...args], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (text: Buffer) => (stdout += text.toString()));
  child.stderr.on('data', (text: Buffer) => (stderr += text.toString()));
  const code = await new Promise<number | string | null>((resolve) =>
    child.once('close', (exit, signal) => resolve(signal ?? exit)),
  );
  return { code, stdout: stdout.trim(), stderr: stderr.trim() };
}

/** The same on a pseudo-terminal, by `script` of util-linux: types an answer at each prompt that a pattern finds. */
export async function onTerminal(
  args: readonly string[],
  { sources, env }: Program,
  dialog: readonly (readonly [prompt: RegExp, answer: Answer])[],
): Promise<Omit<Outcome, 'stderr'>> {
  const words = [process.execPath, sources.path('src/cli/main.ts'), ...args];
  const line = words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
  const child = spawn('script', ['-qefc', line, '/dev/null'], {
    env: { PATH: process.env.PATH, SHELL: '/bin/sh', TERM: 'xterm', ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const left = [...dialog];
  let [stdout, unread] = ['', ''];
  child.stdout.on('data', (text: Buffer) => {
    stdout += text.toString();
    unread += text.toString();
    const [next] = left;
    if (!next?.[0].test(unread)) return;
    unread = '';
    left.shift();
    const [, answer] = next;
    if (typeof answer === 'string') child.stdin.write(answer);
    else void answer().then(() => child.stdin.write('y\r'));
  });
  const code = await new Promise<number | string | null>((resolve) =>
    child.once('close', (exit, signal) => resolve(signal ?? exit)),
  );
  return { code, stdout };
}
