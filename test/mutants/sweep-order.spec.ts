import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { UploadSweep } from '../../src/index.js';
import type { SweepableStorage } from '../../src/storage/sweepable-storage.js';
import { begin, detail, put, someBytes } from '../engine/support/client.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

const bytes = someBytes(2000);
let app: TestApp;
beforeEach(async () => void (app = await startTestApp()));
afterEach(() => app.close());

/** A storage on another machine: its clock is far behind, so that no grace protects what is new. */
async function* listing(
  objects: AsyncIterable<{ readonly modifiedAt: Date }>,
  meanwhile: () => Promise<void>,
): AsyncGenerator<object> {
  await meanwhile();
  for await (const object of objects) yield { ...object, modifiedAt: new Date(0) };
}

it('The sweep spares an upload that is created while the storage is listed', async () => {
  const driver = app.type.engine.context.driver as SweepableStorage;
  let path = '';
  const objects = driver.list();
  const create = async () => void (path = await begin(app, bytes.subarray(0, 1000), bytes.length));
  jest.spyOn(driver, 'list').mockReturnValue(listing(objects, create) as ReturnType<typeof driver.list>);
  expect(await app.app.get(UploadSweep).run()).toMatchObject({ orphanObjects: 0, lostUploads: [] });
  expect((await detail(app, path)).status).toBe(200);
  expect((await put(app, bytes.subarray(1000), { path, start: 1000, total: bytes.length })).status).toBe(200);
});
