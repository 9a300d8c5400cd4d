import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ChunkedUploadOptions as ServerOptions } from '../../src/index.js';
import { type FileSpec, type Outcome } from './support/agent.js';
import type { ClientRig } from './support/rig.js';

/** One thing that the client does wherever it runs. */
export interface Behaviour {
  readonly name: string;
  readonly run: (rig: ClientRig) => Promise<void>;
  /** Where the platform has to tell whether there is a network. */
  readonly needsNetworkEvents?: boolean;
}

/** Behaviours towards one kind of server. */
export interface BehaviourGroup {
  readonly server: string;
  readonly upload: Partial<ServerOptions>;
  readonly behaviours: readonly Behaviour[];
}

const KIB = 1024;
const CHUNK = 256 * KIB;
const FILE: FileSpec = { name: 'film.bin', bytes: 1024 * KIB + 17 };
const OTHER: FileSpec = { name: 'other.bin', bytes: 700 * KIB, seed: 2 };

function resultIn(outcome: Outcome) {
  assert('result' in outcome, `It failed: ${JSON.stringify(outcome)}`);
  return outcome.result;
}

function codeIn(outcome: Outcome): string {
  return 'code' in outcome ? outcome.code : 'success';
}

const whole: Behaviour[] = [
  {
    name: 'uploads a file in chunks, with its name, type and checksum',
    run: async (rig) => {
      const file = { ...FILE, name: 'Größe & 100% ?.bin', type: 'image/x-test' };
      const id = await rig.client.begin(file);
      const result = resultIn(await rig.outcome(id));
      await rig.expectStored(file);
      const [row] = await rig.app.rows();
      assert.equal(row?.content_type, 'image/x-test');
      const { algorithm, hex } = result.checksum as { algorithm: string; hex: string };
      assert.deepEqual(row?.checksums, { [algorithm]: hex });
      assert.equal(algorithm, 'md5');
      const { events, ...snapshot } = await rig.client.snapshot(id);
      assert.deepEqual(events, [
        'statechange:waiting',
        'statechange:uploading',
        'created:new',
        ...[0, 1, 2, 3].map((index) => `chunk:${index * CHUNK}-${(index + 1) * CHUNK}`),
        `chunk:${4 * CHUNK}-${file.bytes}`,
        'statechange:completing',
        'statechange:complete',
        `complete:${file.bytes}`,
      ]);
      const { state, bytesSent, offset, size } = snapshot;
      assert.deepEqual([state, bytesSent, offset, size], ['complete', file.bytes, file.bytes, file.bytes]);
      assert.equal(result.url, `${rig.proxy.origin}/upload/${String(row?.id)}`);
      assert.equal(snapshot.url, result.url);
      assert.equal((result.body as { status: string }).status, 'complete');
    },
  },
  {
    name: 'uploads a file without bytes, and one of a single byte',
    run: async (rig) => {
      const files = [
        { name: 'empty', bytes: 0 },
        { name: 'one', bytes: 1 },
      ];
      for (const file of files) resultIn(await rig.upload(file));
      await rig.expectStored(...files);
    },
  },
  {
    name: 'follows the speed of the line with the size of its chunks',
    run: async (rig) => {
      const file = { ...FILE, bytes: 12 * 1024 * KIB };
      resultIn(await rig.upload(file, { chunkBytes: { min: CHUNK, max: 100 * 1024 * KIB } }));
      // The first is small, as a break would lose it; then it is 5 MiB and more.
      assert.deepEqual(rig.starts, [0, CHUNK, CHUNK + 5 * 1024 * KIB]);
      await rig.clear();
      rig.proxy.bytesPerSecond = 300 * KIB;
      resultIn(await rig.upload(FILE, { chunkBytes: { min: 32 * KIB, max: 512 * KIB } }));
      assert.deepEqual(rig.starts.slice(0, 2), [0, 32 * KIB]);
    },
  },
  {
    name: 'tells its progress to whoever iterates',
    run: async (rig) => {
      const { seen, end } = await rig.client.iterate(FILE, { timeoutMs: 60_000 });
      assert.equal(end, 'end');
      assert.equal(seen.at(-1)?.state, 'complete');
      const offsets = seen.map(({ offset }) => offset);
      assert.deepEqual(
        offsets,
        [...offsets].sort((a, b) => a - b),
      );
      assert.equal(offsets.at(-1), FILE.bytes);
      const failed = await rig.client.iterate(FILE, { owner: { type: 'nobody', id: '1' } });
      assert.equal(failed.end, 'owner_not_allowed');
      assert.equal(failed.seen.at(-1)?.state, 'failed');
    },
  },
  {
    name: 'says rate and time left',
    run: async (rig) => {
      rig.proxy.bytesPerSecond = 1000 * KIB;
      const id = await rig.client.begin({ ...FILE, bytes: 2000 * KIB });
      const isMeasured = (left: number | null) => left !== null && left > 0.5;
      const { bytesPerSecond } = await rig.until(id, ({ secondsLeft }) => isMeasured(secondsLeft));
      assert((bytesPerSecond as number) > 0);
      await rig.client.command(id, 'cancel');
    },
  },
  {
    name: 'says a lower rate while nothing moves',
    run: async (rig) => {
      rig.proxy.bytesPerSecond = 1000 * KIB;
      rig.proxy.fail({ method: 'PUT', after: 3, delayMs: 5000 });
      const id = await rig.client.begin({ ...FILE, bytes: 2000 * KIB });
      await rig.eventually(() => assert.equal(rig.requests('PUT')[3]?.bytes, CHUNK));
      const before = (await rig.client.snapshot(id)).bytesPerSecond as number;
      await sleep(3000);
      const { bytesPerSecond } = await rig.client.snapshot(id);
      assert((bytesPerSecond as number) < before * 0.8, `${bytesPerSecond} after ${before}`);
      await rig.client.command(id, 'cancel');
    },
  },
  {
    name: 'uploads several files, some at a time, in their order',
    run: async (rig) => {
      const files = [1, 2, 3, 4, 5].map((seed) => ({ name: `${seed}.bin`, bytes: 600 * KIB, seed }));
      const ids = await rig.client.enqueue(files, 2);
      await Promise.all(ids.map((id) => rig.outcome(id)));
      await rig.expectStored(...files);
      const starts = rig.requests('PUT', /filename=/).map(({ path }) => /filename=(\d)/.exec(path)?.[1]);
      assert.deepEqual(starts.toSorted(), ['1', '2', '3', '4', '5']);
      // Two that begin at once, each on a connection of its own, may arrive the other way round.
      assert(
        starts.every((name, at) => Math.abs(Number(name) - 1 - at) <= 1),
        `in the order ${starts.join(' ')}`,
      );
      const ends = rig.requests('POST').map(({ at }) => at);
      const third = rig.requests('PUT', /filename=3/)[0]?.at ?? 0;
      assert(third >= (ends[0] ?? Infinity), 'The third began before one of the first two was complete');
    },
  },
  {
    name: 'pauses, goes on with and cancels several files',
    run: async (rig) => {
      rig.proxy.bytesPerSecond = 2000 * KIB;
      const files = [1, 2, 3].map((seed) => ({ name: `${seed}.bin`, bytes: 1000 * KIB, seed }));
      const ids = await rig.client.enqueue(files, 2);
      await rig.eventually(() => assert(rig.bytesSent > 300 * KIB));
      await rig.client.all('pauseAll');
      for (const id of ids) await rig.until(id, ({ state }) => state === 'paused');
      await sleep(100);
      const sent = rig.bytesSent;
      await sleep(300);
      assert.equal(rig.bytesSent, sent);
      await rig.client.all('resumeAll');
      await rig.outcome(ids[0] as number);
      await rig.client.all('cancelAll');
      const codes = await Promise.all(ids.map(async (id) => codeIn(await rig.outcome(id))));
      assert.equal(codes[0], 'success');
      assert.equal(codes[2], 'cancelled');
      // The server may still be noticing that a creating request broke off.
      await rig.eventually(async () => {
        const rows = await rig.app.rows();
        assert(rows.every(({ status }) => status === 'complete'));
      });
    },
  },
];

const broken: Behaviour[] = [
  {
    name: 'goes on from what the server kept of a chunk that broke off',
    run: async (rig) => {
      rig.proxy.fail({ method: 'PUT', after: 2, cutAfterBytes: 100 * KIB });
      resultIn(await rig.upload(FILE));
      await rig.expectStored(FILE);
      // A client that is quicker than the server's disk is told so, and comes again.
      assert(rig.starts.includes(2 * CHUNK + 100 * KIB), `It began at ${rig.starts.join(', ')}`);
      assert(rig.bytesSent <= FILE.bytes + CHUNK);
    },
  },
  {
    name: 'creates once, although the creating request broke off',
    run: async (rig) => {
      rig.proxy.fail({ method: 'PUT', times: 2, cutAfterBytes: 1000 });
      resultIn(await rig.upload(FILE));
      await rig.expectStored(FILE);
      const keys = rig.requests('PUT').map(({ headers }) => headers['idempotency-key']);
      assert.equal(new Set(keys.slice(0, 3)).size, 1);
      assert.equal(keys[3], undefined);
    },
  },
  {
    name: 'creates once, although the answer to the creating request was lost',
    run: async (rig) => {
      rig.proxy.fail({ method: 'PUT', dropsAnswer: true });
      resultIn(await rig.upload(FILE));
      await rig.expectStored(FILE);
    },
  },
  {
    name: 'recognises that the last chunk arrived, although its answer was lost',
    run: async (rig) => {
      rig.proxy.fail({ method: 'PUT', after: 4, dropsAnswer: true });
      resultIn(await rig.upload(FILE));
      await rig.expectStored(FILE);
      // Browsers send a request again by themselves when a connection they had for longer breaks.
      assert(rig.bytesSent <= FILE.bytes + 17);
    },
  },
  {
    name: 'gets the answer to a completion that was lost',
    run: async (rig) => {
      rig.proxy.fail({ method: 'POST', dropsAnswer: true });
      const { body } = resultIn(await rig.upload(FILE));
      assert.equal((body as { status: string }).status, 'complete');
      assert.equal(rig.requests('POST').length, 2);
    },
  },
  {
    name: 'recognises that another request completed the upload meanwhile',
    run: async (rig) => {
      rig.proxy.fail({ method: 'POST', times: 100, dropsAnswer: true });
      const id = await rig.client.begin(FILE, {
        remembers: true,
        retry: { minDelayMs: 60_000, maxDelayMs: 60_000 },
      });
      await rig.until(id, ({ events }) => events.includes('retry:network'));
      await rig.client.reopen();
      rig.proxy.reset();
      // Its answers do not say any more which checksum is wanted.
      resultIn(await rig.upload(FILE, { remembers: true }));
      await rig.expectStored(FILE);
      assert.deepEqual(await rig.client.remembered(), []);
    },
  },
  {
    name: 'waits as long as the server asks it to',
    run: async (rig) => {
      const answer = { status: 503, headers: { 'Retry-After': '1' } };
      rig.proxy.fail({ method: 'PUT', after: 1, answer });
      resultIn(await rig.upload(FILE));
      await rig.expectStored(FILE);
      const [, refused, next] = rig.proxy.seen;
      assert((next?.at ?? 0) - (refused?.at ?? 0) >= 1000);
    },
  },
  {
    name: 'waits although the server asks for more than a timer can count',
    run: async (rig) => {
      const answer = { status: 503, headers: { 'Retry-After': String(40 * 24 * 3600) } };
      rig.proxy.fail({ method: 'PUT', after: 1, times: 100, answer });
      const id = await rig.client.begin(FILE);
      await rig.until(id, ({ events }) => events.includes('retry:http'));
      await sleep(500);
      assert.equal(rig.proxy.seen.length, 2);
      await rig.client.command(id, 'cancel');
    },
  },
  {
    name: 'gives up a request that hangs',
    run: async (rig) => {
      rig.proxy.fail({ method: 'PUT', after: 1, delayMs: 4000 });
      const before = Date.now();
      resultIn(await rig.upload(FILE, { timeoutMs: 400 }));
      assert(Date.now() - before < 3500);
      await rig.expectStored(FILE);
    },
  },
  {
    name: 'outlives a server that is away for a while',
    run: async (rig) => {
      rig.proxy.bytesPerSecond = 2000 * KIB;
      const id = await rig.client.begin(FILE);
      await rig.eventually(() => assert(rig.bytesSent > 400 * KIB));
      rig.proxy.goDown();
      await rig.until(id, ({ events }) => events.filter((event) => event === 'retry:network').length > 3);
      rig.proxy.isDown = false;
      resultIn(await rig.outcome(id));
      await rig.expectStored(FILE);
      assert(rig.bytesSent <= FILE.bytes + 64 * KIB, `${rig.bytesSent} bytes were sent`);
    },
  },
  {
    name: 'fails after so many tries, and goes on when it is started again',
    run: async (rig) => {
      rig.proxy.fail({ method: 'PUT', after: 2, times: 3, answer: { status: 502 } });
      const id = await rig.client.begin(FILE, { retry: { maxAttempts: 3 } });
      const failed = await rig.outcome(id);
      assert.equal(codeIn(failed), 'http');
      assert('isRetryable' in failed && failed.isRetryable);
      assert.equal((await rig.client.snapshot(id)).state, 'failed');
      await rig.client.command(id, 'start');
      resultIn(await rig.outcome(id));
      await rig.expectStored(FILE);
      assert.equal(rig.requests('PUT', /filename=/).length, 1);
    },
  },
  {
    name: 'counts tries since the last progress only',
    run: async (rig) => {
      for (const after of [1, 2, 3]) {
        rig.proxy.fail({ method: 'PUT', after, times: 2, answer: { status: 500 } });
      }
      resultIn(await rig.upload(FILE, { retry: { maxAttempts: 3 } }));
      await rig.expectStored(FILE);
    },
  },
  {
    name: 'sends smaller chunks through a proxy that takes no large ones',
    run: async (rig) => {
      rig.proxy.fail({ method: 'PUT', times: 2, answer: { status: 413 } });
      resultIn(await rig.upload(FILE));
      await rig.expectStored(FILE);
      assert.deepEqual(rig.starts.slice(0, 4), [0, 0, 0, 64 * KIB]);
    },
  },
  {
    name: 'waits while there is no network',
    needsNetworkEvents: true,
    run: async (rig) => {
      rig.proxy.bytesPerSecond = 1000 * KIB;
      const id = await rig.client.begin(FILE, { retry: { maxAttempts: 2 } });
      await rig.eventually(() => assert(rig.bytesSent > 400 * KIB));
      await rig.client.setOffline(true);
      await rig.until(id, ({ state }) => state === 'offline');
      await sleep(1000);
      assert.equal((await rig.client.snapshot(id)).state, 'offline');
      await rig.client.setOffline(false);
      resultIn(await rig.outcome(id));
      await rig.expectStored(FILE);
    },
  },
];

const stopped: Behaviour[] = [
  {
    name: 'pauses, sends nothing meanwhile, and goes on',
    run: async (rig) => {
      rig.proxy.bytesPerSecond = 1000 * KIB;
      const id = await rig.client.begin(FILE);
      await rig.until(id, ({ offset, bytesSent }) => offset >= CHUNK && bytesSent > offset);
      await rig.client.command(id, 'pause');
      await rig.until(id, ({ state }) => state === 'paused');
      const before = rig.proxy.seen.length;
      await sleep(300);
      assert.equal(rig.proxy.seen.length, before);
      // The server keeps what arrived of the chunk, so nothing is shown to have been lost.
      const { offset, bytesSent } = await rig.client.snapshot(id);
      assert(bytesSent > offset, `${bytesSent} bytes are shown, ${offset} were acknowledged`);
      assert.deepEqual(
        (await rig.app.rows()).map(({ status }) => status),
        ['uploading'],
      );
      // On a busy machine that takes it longer; who goes on before sends the chunk again.
      while (Number((await rig.app.rows())[0]?.offset) <= offset) await sleep(50);
      await rig.client.command(id, 'resume');
      resultIn(await rig.outcome(id));
      await rig.expectStored(FILE);
      assert(rig.bytesSent < FILE.bytes + 128 * KIB, `${rig.bytesSent} bytes were sent`);
    },
  },
  {
    name: 'cancels: row and bytes are gone, and nothing is remembered',
    run: async (rig) => {
      rig.proxy.bytesPerSecond = 1000 * KIB;
      const id = await rig.client.begin(FILE, { remembers: true });
      await rig.until(id, ({ offset }) => offset >= CHUNK);
      assert.equal((await rig.client.remembered()).length, 1);
      assert.equal(await rig.client.command(id, 'cancel'), null);
      assert.equal(codeIn(await rig.outcome(id)), 'cancelled');
      const { state, events } = await rig.client.snapshot(id);
      assert.equal(state, 'cancelled');
      assert.equal(events.at(-1), 'cancel:');
      assert.deepEqual([...(await rig.app.rows()), ...(await rig.app.files())], []);
      assert.deepEqual(await rig.client.remembered(), []);
      await rig.client.command(id, 'start');
      assert.equal(codeIn(await rig.outcome(id)), 'cancelled');
    },
  },
  {
    name: 'cancels what was only just created',
    run: async (rig) => {
      rig.proxy.fail({ method: 'PUT', delayMs: 500 });
      const id = await rig.client.begin({ ...FILE, bytes: 100 });
      await rig.eventually(() => assert.equal(rig.requests('PUT')[0]?.bytes, 100));
      await sleep(100);
      assert.equal(await rig.client.command(id, 'cancel'), null);
      assert.deepEqual(await rig.app.rows(), []);
    },
  },
  {
    name: 'cancels again what the server could not be told',
    run: async (rig) => {
      rig.proxy.bytesPerSecond = 1000 * KIB;
      rig.proxy.fail({ method: 'DELETE', times: 2, answer: { status: 500 } });
      rig.proxy.fail({ method: 'DELETE', delayMs: 300 });
      const id = await rig.client.begin(FILE, { remembers: true, retry: { maxAttempts: 2 } });
      await rig.until(id, ({ offset }) => offset >= CHUNK);
      assert.equal(await rig.client.command(id, 'cancel'), 'http');
      const again = rig.client.command(id, 'cancel');
      // Whoever cancels meanwhile waits for the same.
      assert.equal(await rig.client.command(id, 'cancel'), null);
      assert.deepEqual([...(await rig.app.rows()), ...(await rig.app.files())], []);
      assert.equal(await again, null);
      assert.equal(rig.requests('DELETE').length, 3);
      const { events } = await rig.client.snapshot(id);
      assert.equal(events.filter((event) => event === 'cancel:').length, 1);
      assert.deepEqual(await rig.client.remembered(), []);
    },
  },
  {
    name: 'stops by a signal, and can be gone on with',
    run: async (rig) => {
      rig.proxy.bytesPerSecond = 1000 * KIB;
      const id = await rig.client.begin(FILE, { remembers: true });
      await rig.until(id, ({ offset }) => offset >= CHUNK);
      await rig.client.command(id, 'abort');
      assert.equal(codeIn(await rig.outcome(id)), 'aborted');
      assert.equal((await rig.client.remembered()).length, 1);
      rig.proxy.bytesPerSecond = 0;
      resultIn(await rig.upload(FILE, { remembers: true }));
      await rig.expectStored(FILE);
    },
  },
];

/** Uploads some of a file, and ends everything. */
async function leaveBehind(rig: ClientRig, file = FILE, options = {}): Promise<void> {
  rig.proxy.bytesPerSecond = 1000 * KIB;
  const id = await rig.client.begin(file, { remembers: true, ...options });
  await rig.until(id, ({ offset }) => offset >= 2 * CHUNK);
  await rig.client.reopen();
  rig.proxy.bytesPerSecond = 0;
  await sleep(100);
}

const resumed: Behaviour[] = [
  {
    name: 'goes on with the same file, and sends no byte twice',
    run: async (rig) => {
      await leaveBehind(rig);
      const [entry, ...others] = await rig.client.remembered();
      assert.deepEqual(others, []);
      assert.deepEqual(
        [entry?.filename, entry?.size, entry?.key],
        [FILE.name, FILE.bytes, await rig.client.key(FILE)],
      );
      const id = await rig.client.begin(FILE, { remembers: true });
      resultIn(await rig.outcome(id));
      assert((await rig.client.snapshot(id)).events.includes('created:resumed'));
      await rig.expectStored(FILE);
      assert(rig.bytesSent < FILE.bytes + 128 * KIB, `${rig.bytesSent} bytes were sent`);
      assert.deepEqual(await rig.client.remembered(), []);
    },
  },
  {
    name: 'takes no other file for the same',
    run: async (rig) => {
      await leaveBehind(rig);
      const others: FileSpec[] = [
        { ...FILE, name: 'b.bin' },
        { ...FILE, bytes: FILE.bytes + 1 },
        { ...FILE, altered: [5, 6] },
        { ...FILE, altered: [FILE.bytes - 5, FILE.bytes - 4] },
      ];
      const keys = [await rig.client.key(FILE), await rig.client.key(FILE, { userId: 'ann' })];
      for (const other of others) keys.push(await rig.client.key(other));
      assert.equal(new Set(keys).size, 6);
    },
  },
  {
    name: 'does not go on with what another user began',
    run: async (rig) => {
      await leaveBehind(rig, FILE, { userId: 'ann' });
      assert.equal((await rig.client.remembered('ann')).length, 1);
      assert.deepEqual(await rig.client.remembered('bob'), []);
      resultIn(await rig.upload(FILE, { remembers: true, userId: 'bob' }));
      assert.equal((await rig.app.rows()).length, 2);
      assert.equal((await rig.client.remembered('ann')).length, 1);
    },
  },
  {
    name: 'starts anew when the server has forgotten it',
    run: async (rig) => {
      await leaveBehind(rig);
      await rig.app.dataSource.query('DELETE FROM chunked_upload');
      const id = await rig.client.begin(FILE, { remembers: true });
      resultIn(await rig.outcome(id));
      assert.deepEqual(
        (await rig.client.snapshot(id)).events.filter((event) => event.startsWith('created')),
        ['created:resumed', 'created:new'],
      );
      await rig.expectStored(FILE);
    },
  },
  {
    name: 'starts anew when it has expired, once',
    run: async (rig) => {
      await leaveBehind(rig);
      const body = JSON.stringify({ code: 'expired', detail: 'Too late.' });
      const answer = { status: 410, headers: { 'Content-Type': 'application/problem+json' }, body };
      rig.proxy.fail({ method: 'GET', answer });
      rig.proxy.fail({ method: 'PUT', after: 2, answer });
      const id = await rig.client.begin(FILE, { remembers: true });
      assert.equal(codeIn(await rig.outcome(id)), 'expired');
      assert.equal((await rig.app.rows()).length, 2);
      assert.deepEqual(await rig.client.remembered(), []);
    },
  },
  {
    name: 'starts anew when the middle of the file has changed since',
    run: async (rig) => {
      const file = { ...FILE, bytes: 4 * 1024 * KIB };
      const changed: FileSpec = { ...file, altered: [1500 * KIB, 1501 * KIB] };
      const options = { remembers: true, chunkBytes: 2000 * KIB };
      rig.proxy.fail({ method: 'PUT', after: 1, times: 100, answer: { status: 400 } });
      assert.equal(codeIn(await rig.upload(file, options)), 'http');
      await rig.client.reopen();
      rig.proxy.reset();
      resultIn(await rig.upload(changed, options));
      const rows = await rig.app.rows();
      assert.deepEqual(
        rows.map(({ status }) => status),
        ['uploading', 'complete'],
      );
      assert.deepEqual(await rig.client.remembered(), []);
    },
  },
  {
    name: 'fails when the upload is deleted under its hands',
    run: async (rig) => {
      const body = JSON.stringify({ code: 'not_found', detail: 'There is no such upload.' });
      rig.proxy.fail({ method: 'PUT', after: 2, answer: { status: 404, body } });
      assert.equal(codeIn(await rig.upload(FILE, { remembers: true })), 'not_found');
      assert.deepEqual(await rig.client.remembered(), []);
    },
  },
  {
    name: 'goes on with an upload by its url, if the file may be the one',
    run: async (rig) => {
      const id = await rig.client.begin(FILE, { retry: { maxAttempts: 1 } });
      rig.proxy.fail({ method: 'PUT', after: 2, answer: { status: 400 } });
      await rig.outcome(id);
      const uploadUrl = (await rig.client.snapshot(id)).url as string;
      const sent = rig.bytesSent;
      assert.equal(codeIn(await rig.upload(OTHER, { uploadUrl })), 'source_mismatch');
      assert.equal(rig.bytesSent, sent);
      resultIn(await rig.upload(FILE, { uploadUrl }));
      await rig.expectStored(FILE);
    },
  },
  {
    name: 'shares an upload with another client that begins later: both end well',
    run: async (rig) => {
      rig.proxy.bytesPerSecond = 1000 * KIB;
      const first = await rig.client.begin(FILE, { remembers: true });
      await rig.until(first, ({ offset, bytesSent }) => offset >= CHUNK && bytesSent > offset);
      const second = await rig.client.begin(FILE, { remembers: true });
      resultIn(await rig.outcome(second));
      resultIn(await rig.outcome(first));
      await rig.expectStored(FILE);
      // Each takeover costs a part of a chunk; that both send all of it is what must not be.
      assert(rig.bytesSent < FILE.bytes + 3 * CHUNK, `${rig.bytesSent} bytes were sent`);
      assert.deepEqual(await rig.client.remembered(), []);
    },
  },
];

const refused: Behaviour[] = [
  {
    name: 'asks again for headers when nobody is signed in, once',
    run: async (rig) => {
      const body = JSON.stringify({ code: 'unauthenticated', detail: 'Sign in.' });
      const answer = { status: 401, body };
      rig.proxy.fail({ method: 'PUT', after: 1, answer });
      resultIn(await rig.upload(FILE, { tokens: ['old', 'new'] }));
      await rig.expectStored(FILE);
      const tokens = rig.proxy.seen.map(({ headers }) => headers.authorization);
      assert.deepEqual(tokens.slice(0, 3), ['old', 'old', 'new']);
      await rig.clear();
      rig.proxy.fail({ method: 'PUT', times: 9, answer });
      const id = await rig.client.begin(FILE, { tokens: ['old', 'new'] });
      assert.equal(codeIn(await rig.outcome(id)), 'unauthenticated');
      assert.equal(rig.proxy.seen.length, 2);
      rig.proxy.reset();
      await rig.client.command(id, 'start');
      resultIn(await rig.outcome(id));
    },
  },
  {
    name: 'asks again for headers whatever a gateway calls its 401',
    run: async (rig) => {
      for (const code of [401, 'invalid_token']) {
        await rig.clear();
        rig.proxy.fail({ method: 'PUT', after: 1, answer: { status: 401, body: JSON.stringify({ code }) } });
        resultIn(await rig.upload(FILE, { tokens: ['old', 'new'] }));
        assert.equal(rig.proxy.seen[2]?.headers.authorization, 'new');
      }
      await rig.expectStored(FILE);
    },
  },
  {
    name: 'tries nothing again that cannot heal',
    run: async (rig) => {
      const answers: [number, string][] = [
        [400, 'size_mismatch'],
        [403, 'forbidden'],
        [400, 'type_not_allowed'],
        [422, 'unheard_of'],
      ];
      for (const [status, code] of answers) {
        await rig.clear();
        rig.proxy.fail({ method: 'PUT', after: 1, answer: { status, body: JSON.stringify({ code }) } });
        assert.equal(codeIn(await rig.upload(FILE)), code);
        assert.equal(rig.proxy.seen.length, 2);
      }
    },
  },
  {
    name: 'fails at once for a header that cannot be sent, and says why',
    run: async (rig) => {
      const outcome = await rig.upload(FILE, { headers: { 'X-Token': 'a\nb' } });
      assert.equal(codeIn(outcome), 'unexpected');
      assert.match('message' in outcome ? outcome.message : '', /header/i);
      assert.deepEqual(rig.proxy.seen, []);
    },
  },
  {
    name: 'says so when what answers is no upload route',
    run: async (rig) => {
      rig.proxy.fail({ method: 'PUT', answer: { status: 200, body: '<!doctype html>' } });
      const outcome = await rig.upload(FILE);
      assert.equal(codeIn(outcome), 'http');
      assert.match('message' in outcome ? outcome.message : '', /no upload route/);
      const nowhere = await rig.upload(FILE, { endpoint: `${rig.proxy.origin}/nowhere` });
      assert.equal(codeIn(nowhere), 'http');
    },
  },
  {
    name: 'sends headers and owner with it',
    run: async (rig) => {
      const options = { headers: { 'X-Of-The-App': 'yes' }, owner: { type: 'person', id: 'a b' } };
      assert.equal(codeIn(await rig.upload(FILE, options)), 'owner_not_allowed');
      const [seen] = rig.proxy.seen;
      assert.equal(seen?.headers['x-of-the-app'], 'yes');
      assert.match(seen?.path ?? '', /owner_type=person&owner_id=a\+b/);
    },
  },
];

const limited: Behaviour[] = [
  {
    name: 'sends chunks as large as the server takes them',
    run: async (rig) => {
      resultIn(await rig.upload(FILE));
      await rig.expectStored(FILE);
      assert.deepEqual(rig.starts.slice(0, 3), [0, 0, 100 * KIB]);
    },
  },
  {
    name: 'gives the checksum that the server asks for',
    run: async (rig) => {
      const { checksum } = resultIn(await rig.upload(FILE));
      assert.equal(checksum?.algorithm, 'sha256');
      assert.deepEqual((await rig.app.rows())[0]?.checksums, { sha256: checksum?.hex });
      assert.equal(codeIn(await rig.upload(OTHER, { checksum: 'md5' })), 'checksum_unsupported');
      assert.equal(codeIn(await rig.upload(OTHER, { checksum: false })), 'checksum_missing');
    },
  },
  {
    name: 'fails at once for a file that is too large',
    run: async (rig) => {
      assert.equal(
        codeIn(await rig.upload({ ...FILE, bytes: 3 * 1024 * KIB }, { chunkBytes: 64 * KIB })),
        'too_large',
      );
      assert.equal(rig.proxy.seen.length, 1);
    },
  },
];

const unchecked: Behaviour[] = [
  {
    name: 'gives no checksum when none is asked for',
    run: async (rig) => {
      const { checksum, body } = resultIn(await rig.upload(FILE));
      assert.equal(checksum, null);
      assert.deepEqual(body, { thanks: FILE.name });
    },
  },
  {
    name: 'gives the app one answer to a completion, however often it is lost',
    run: async (rig) => {
      rig.proxy.fail({ method: 'POST', times: 2, dropsAnswer: true });
      assert.deepEqual(resultIn(await rig.upload(FILE)).body, { thanks: FILE.name });
    },
  },
];

/** What the client does, wherever it runs. */
export const BEHAVIOURS: readonly BehaviourGroup[] = [
  {
    server: 'as it is',
    upload: { leaseTtl: '3s' },
    behaviours: [...whole, ...broken, ...stopped, ...resumed, ...refused],
  },
  {
    server: 'with limits and another checksum',
    upload: { maxChunkBytes: 100 * KIB, maxBytes: 2 * 1024 * KIB, checksum: 'sha256' },
    behaviours: limited,
  },
  {
    server: 'without checksums, and with an answer of its own',
    upload: { checksum: false, onComplete: ({ filename }) => Promise.resolve({ thanks: filename }) },
    behaviours: unchecked,
  },
];
