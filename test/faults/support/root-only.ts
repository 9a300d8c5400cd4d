import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { it } from '@jest/globals';

const run = promisify(execFile);

/** Runs a program; its standard output. */
export async function command(file: string, ...args: string[]): Promise<string> {
  return (await run(file, args)).stdout;
}

const mounts = new Set<string>();

/** Why nothing can be mounted here; null when it can. */
export async function whyNoMounts(kind: 'tmpfs' | 'loop'): Promise<string | null> {
  if (process.platform !== 'linux') return 'needs Linux';
  if (process.getuid?.() !== 0) return 'needs root';
  const folder = await mkdtemp(join(tmpdir(), 'mount-probe-'));
  try {
    if (kind === 'loop') await command('losetup', '--find');
    await mount('tmpfs', folder, 'size=64k');
    return null;
  } catch (error) {
    return `mounting fails: ${String(error)}`;
  } finally {
    await unmount(folder);
    await rm(folder, { recursive: true, force: true });
  }
}

/** Mounts a tmpfs, or the image at `source`, on `folder`; {@link unmountAll} undoes it whatever happens. */
export async function mount(source: string, folder: string, options: string): Promise<void> {
  const [type, device] = source === 'tmpfs' ? ['tmpfs', 'tmpfs'] : ['ext4', source];
  await command('mount', '-t', type, '-o', options, device, folder);
  mounts.add(folder);
}

export async function unmount(folder: string): Promise<void> {
  if (!mounts.has(folder)) return;
  // Lazily, if somebody still has a file open: the mount must not outlive the tests.
  await command('umount', folder).catch(() => command('umount', '--lazy', folder));
  mounts.delete(folder);
}

export async function unmountAll(): Promise<void> {
  for (const folder of [...mounts].reverse()) await unmount(folder).catch(() => undefined);
}

/** `it`, or, where the machine cannot, a visible "not run: why". */
export function itUnless(why: string | null): (name: string, test: () => Promise<void>, ms?: number) => void {
  return (name, test, ms) => {
    if (why === null) return it(name, test, ms);
    process.stdout.write(`not run: ${name}: ${why}\n`);
    it.skip(`not run (${why}): ${name}`, test);
  };
}
