import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { LocalStorage } from '../../src/index.js';
import { FaultInjectingDriver } from '../../src/testing/index.js';
import { begin, complete, content, detail, put, someBytes } from '../engine/support/client.js';
import { filesOf } from '../engine/support/rows.js';
import { startTestApp, type TestApp } from '../support/test-app.js';

/** What must be done before what; each order is broken by a mutant. */
describe('in order', () => {
  let app: TestApp;
  let root: string;
  let storage: FaultInjectingDriver;
  const bytes = someBytes(2000);
  const total = bytes.length;

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'order-'));
    storage = new FaultInjectingDriver(new LocalStorage({ root }));
    app = await startTestApp({ root, upload: { storage } });
  });
  afterEach(() => storage.letGo());
  afterAll(async () => {
    await app.close();
    await rm(root, { recursive: true, force: true });
  });

  it.each(['write', 'commit'] as const)(
    'storage is done with a chunk, then it is acknowledged: a %s that fails is told',
    async (call) => {
      const path = await begin(app, bytes.subarray(0, 1000), total);
      storage.fail({ kind: 'before', at: 1, calls: [call] });
      const next = { path, start: 1000, total };
      expect((await put(app, bytes.subarray(1000), next)).status).toBe(503);
      expect((await detail(app, path)).body.offset).toBe(1000);
      expect((await put(app, bytes.subarray(1000), next)).status).toBe(200);
    },
  );

  it('the checksum is compared, then the file gets its final name', async () => {
    const path = await begin(app, bytes, total);
    const received = await filesOf(app, path);
    expect(received).toEqual([expect.stringMatching(/\.part$/)]);
    expect((await complete(app, path, someBytes(10))).body.code).toBe('checksum_mismatch');
    expect(await filesOf(app, path)).toEqual(received);
    expect((await complete(app, path, bytes)).status).toBe(200);
    expect((await content(app, path)).equals(bytes)).toBe(true);
  });
});
