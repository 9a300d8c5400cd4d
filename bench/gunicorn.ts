import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { RunningServer, Site } from './contenders.js';
import { freePort } from './free-port.js';

const SERVERS = fileURLToPath(new URL('servers', import.meta.url));
const NEEDED = ['gunicorn', 'django', 'psycopg2'];
const PATIENCE_MS = 30_000;

/**
 * A Django app under gunicorn with two workers, in whichever `python3` has what it needs (Debian: `apt-get install gunicorn
 * python3-django python3-psycopg2`); null when none has.
 */
export async function startGunicorn({ folder, createDatabase }: Site): Promise<RunningServer | null> {
  const python = ['python3', '/usr/bin/python3'].find(
    (name) => spawnSync(name, ['-c', `import ${NEEDED.join(', ')}`]).status === 0,
  );
  if (!python) return null;
  const place = join(folder, 'django');
  await mkdir(place, { recursive: true });
  const origin = `127.0.0.1:${await freePort()}`;
  const options = [
    '--workers',
    '2',
    '--timeout',
    '0',
    '--bind',
    origin,
    '--chdir',
    SERVERS,
    '--worker-tmp-dir',
    place,
  ];
  const child = spawn(python, ['-m', 'gunicorn', ...options, 'django_app:application'], {
    env: {
      ...process.env,
      FOLDER: place,
      DATABASE_URL: await createDatabase('bench_django'),
      PYTHONDONTWRITEBYTECODE: '1',
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  await answers(child, `http://${origin}`);
  return {
    origin: `http://${origin}`,
    resetPeak: () => Promise.resolve(),
    usage: () => Promise.resolve({ cpuSeconds: null, peakBytes: null }),
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.kill();
      await gone;
    },
  };
}

/** @throws Error with what gunicorn printed when it ends, or does not serve in time. */
async function answers(child: ChildProcess, origin: string): Promise<void> {
  const output: string[] = [];
  child.stderr?.on('data', (text: Buffer) => output.push(text.toString()));
  for (const until = Date.now() + PATIENCE_MS; Date.now() < until; await sleep(100)) {
    if (child.exitCode !== null || child.signalCode !== null) break;
    if (
      await fetch(origin).then(
        () => true,
        () => false,
      )
    )
      return;
  }
  child.kill('SIGKILL');
  throw new Error(`gunicorn did not start:\n${output.join('')}`);
}
