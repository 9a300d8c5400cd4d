import { describe, expect, it } from '@jest/globals';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { LeaseHolder } from './lease-holder.js';

describe('LeaseHolder', () => {
  const holder = new LeaseHolder();
  const [host, pid, startedAt] = JSON.parse(holder.name) as [string, number, string, string];
  const nameOf = (...parts: unknown[]) => JSON.stringify(parts);

  it('knows itself, and another one in the same process', () => {
    expect(holder.isSelf(holder.name)).toBe(true);
    const other = new LeaseHolder();
    expect(holder.isSelf(other.name)).toBe(false);
    expect([holder.isGone(holder.name), holder.isGone(other.name)]).toEqual([false, false]);
  });

  it('a process that ended is gone, and so is the one before whose pid is used again', () => {
    const { pid: ended } = spawnSync('true');
    expect(holder.isGone(nameOf(host, ended, '123', 'x'))).toBe(true);
    expect(holder.isGone(nameOf(host, pid, `${startedAt}1`, 'x'))).toBe(true);
  });

  it('a process that runs is not, nor one that is stopped', async () => {
    const child = spawn('sleep', ['10']);
    await once(child, 'spawn');
    const stat = readFileSync(`/proc/${child.pid}/stat`, 'utf8');
    const name = nameOf(host, child.pid, stat.split(' ')[21], 'x');
    expect(holder.isGone(name)).toBe(false);
    child.kill('SIGSTOP');
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(holder.isGone(name)).toBe(false);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(holder.isGone(name)).toBe(true);
  });

  it('what cannot be proven is taken for alive: another host, another boot, anything else', () => {
    for (const name of [
      nameOf('another boot', 1_999_999, '1', 'x'),
      nameOf(host),
      nameOf(host, '1', '1'),
      '[]',
      '{}',
      'null',
      '',
      'no json',
    ]) {
      expect(holder.isGone(name)).toBe(false);
      expect(holder.isSelf(name)).toBe(false);
    }
  });
});
