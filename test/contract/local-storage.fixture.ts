import { mkdtemp, readdir, rename, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LocalStorage, type LocalStorageOptions, type StoredUpload } from '../../src/index.js';
import { type DriverFixture, FaultInjectingDriver } from '../../src/testing/index.js';

/** A local storage in a folder of its own, and what can happen to that folder. */
export async function openLocalStorage(
  extensions: LocalStorageOptions['extensions'] = {},
): Promise<DriverFixture> {
  const home = await mkdtemp(join(tmpdir(), 'driver-contract-'));
  const root = join(home, 'root');
  const pathOf = async ({ id }: StoredUpload) => {
    const name = (await namesUnder(root)).find((found) => found.includes(id));
    return join(root, name ?? 'there-is-none');
  };
  return {
    driver: new LocalStorage({ root, extensions }),
    second: new LocalStorage({ root, extensions }),
    stored: () => namesUnder(root),
    lose: async (upload, keepBytes) => {
      if (keepBytes === null) await rm(await pathOf(upload));
      else await truncate(await pathOf(upload), keepBytes);
    },
    grow: async (upload, bytes) => truncate(await pathOf(upload), bytes),
    elsewhere: () => Promise.resolve(new LocalStorage({ root: join(home, 'elsewhere'), extensions })),
    unplug: async () => {
      await rename(root, join(home, 'unplugged'));
      return () => rename(join(home, 'unplugged'), root);
    },
    close: () => rm(home, { recursive: true, force: true }),
  };
}

/** The same behind a fault-injecting driver that has no fault to inject. */
export async function openFaultInjectingStorage(): Promise<DriverFixture> {
  const fixture = await openLocalStorage();
  return { ...fixture, driver: new FaultInjectingDriver(fixture.driver) };
}

async function namesUnder(root: string): Promise<string[]> {
  // A storage that nobody used yet has no folder.
  const entries = await readdir(root, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile() && entry.name !== '.volume')
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1));
}
