import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { startTestApp, type TestApp } from '../support/test-app.js';
import { begin, call, complete, content, openForm, openPut, put, multipart, sleep, someBytes, detail, cancel } from './support/client.js';
import { LocalStorage } from '../../src/index.js';
import { mkdtemp, rm, readdir } from 'node:fs/promises';

let t: TestApp;
beforeAll(async () => { t = await startTestApp({ upload: { idleTimeout: '2s', leaseTtl: '5s' } }); });
afterAll(async () => { await t.close(); });

it('duel', async () => {
  const total = 300_000;
  const tally: Record<string, number> = {};
  for (let round = 0; round < 60; round++) {
    const first = someBytes(1000);
    const path = await begin(t, first, total + 1000);
    const bodies = Array.from({ length: 6 }, () => someBytes(total));
    const answers = await Promise.all(bodies.map((b) => put(t, b, { path, start: 1000, total: total + 1000 })));
    const key = answers.map((a) => a.status === 200 ? '200' : `${a.status}:${String(a.body.code)}`).sort().join(' ');
    tally[key] = (tally[key] ?? 0) + 1;
    const wins = answers.map((a, i) => [a, bodies[i]] as const).filter(([a]) => a.status === 200);
    if (wins.length !== 1) { console.log('round', round, key); continue; }
    const whole = Buffer.concat([first, wins[0]![1]!]);
    const done = await complete(t, path, whole);
    if (done.status !== 200) console.log('complete', done.status, done.body);
    else if (!(await content(t, path)).equals(whole)) console.log('CORRUPT');
  }
  console.log(tally);
});

it('completes', async () => {
  const tally: Record<string, number> = {};
  for (let round = 0; round < 30; round++) {
    const bytes = someBytes(50_000);
    const path = await begin(t, bytes, bytes.length);
    const answers = await Promise.all(Array.from({ length: 10 }, () => complete(t, path, bytes)));
    for (const a of answers) { const k = `${a.status}:${String(a.body.code ?? a.body.status)}`; tally[k] = (tally[k] ?? 0) + 1; }
    const d = await detail(t, path);
    const k = `after ${d.status}:${String(d.body.status)}`; tally[k] = (tally[k] ?? 0) + 1;
  }
  console.log(tally);
});

it('stalled form', async () => {
  const bytes = someBytes(1000);
  const path = await begin(t, bytes, 3000);
  const form = openForm(t, 1000, { path, start: 1000, total: 3000 });
  const { head, tail } = multipart();
  await form.send(Buffer.concat([head, bytes, tail.subarray(0, tail.length - 4)]));
  const t0 = Date.now();
  const r = await Promise.race([form.answer.then((a) => `${a.status} ${String(a.body.code)}`, String), sleep(8000).then(() => 'STILL OPEN after 8 s')]);
  console.log('stalled form', r, Date.now() - t0);
  const n = await Promise.race([put(t, bytes, { path, start: 1000, total: 3000 }).then((a) => `${a.status} ${String(a.body.code)}`), sleep(4000).then(() => 'NEWER HANGS')]);
  console.log('newer', n);
  form.reset();
});

it('create/cancel folder race', async () => {
  const tally: Record<string, number> = {};
  await Promise.all(Array.from({ length: 8 }, async () => {
    for (let i = 0; i < 40; i++) {
      const a = await put(t, someBytes(10), { total: 20 });
      const k = `${a.status}:${String(a.body.code)}`; tally[k] = (tally[k] ?? 0) + 1;
      if (a.status === 200) { const c = await cancel(t, `/upload/${String(a.body.id)}`); const k2 = `del ${c.status}`; tally[k2] = (tally[k2] ?? 0) + 1; }
    }
  }));
  console.log(tally, await t.files());
});

it('volume race', async () => {
  for (let i = 0; i < 20; i++) {
    const root = await mkdtemp('/tmp/vol-');
    await rm(root, { recursive: true });
    const ids = await Promise.all(Array.from({ length: 6 }, async () => {
      const s = new LocalStorage({ root }) as unknown as { volume: { id(): Promise<string> } };
      return s.volume.id().catch((e: Error) => `${e.message} ${String(e.cause)}`);
    }));
    if (new Set(ids).size > 1) { console.log(ids); await rm(root, { recursive: true }); break; }
    await rm(root, { recursive: true });
  }
});

it('lost content', async () => {
  const bytes = someBytes(1000);
  const path = await begin(t, bytes, 1000);
  await complete(t, path, bytes);
  const files = await t.files();
  for (const f of files.filter((f) => f.includes(path.split('/')[2]!))) await rm(`${t.root}/${f}`);
  const a = await call(t, `${path}/content`);
  console.log(a.status, a.headers, a.bytes.toString());
});
it('sizes', async () => { console.log(await readdir(t.root)); expect(1).toBe(1); });
