import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { UploadCleanup } from '../../src/index.js';
import { type Answer, contentRange, file, form, md5, noise, UploadClient } from '../support/http.js';
import { open, until } from '../engine/support/client.js';
import { createDatabase, startTestApp, type TestApp, type TestDatabase } from '../support/test-app.js';

const userOf = (request: unknown): string | null =>
  (request as { headers: Record<string, string | undefined> }).headers['x-user'] ?? null;

/** What one user may have unfinished: by number and by bytes, over all instances, whatever arrives at once. */
describe('quotas', () => {
  const UPLOADS = 5;
  const BYTES = 10_000;
  let database: TestDatabase;
  let instances: TestApp[];
  let users = 0;

  beforeAll(async () => {
    database = await createDatabase();
    const upload = { resolveUser: userOf, anonymous: true, maxOpenUploads: UPLOADS, maxOpenBytes: BYTES };
    const first = await startTestApp({ database, upload });
    instances = [first, await startTestApp({ adapter: 'fastify', database, upload, root: first.root })];
  });
  afterAll(async () => {
    for (const { close } of [...instances].reverse()) await close();
    await database.drop();
  });

  /** A user nobody was before, as seen by both instances. */
  const newUser = (): [UploadClient, UploadClient] => {
    const headers = { 'X-User': `user ${users++}` };
    return instances.map(({ origin }) => new UploadClient(`${origin}/upload`, headers)) as [
      UploadClient,
      UploadClient,
    ];
  };
  const begin = (client: UploadClient, total: number | '*', length = 10, headers = {}): Promise<Answer> =>
    client.put('', noise(length), { total }, headers);
  const codes = (answers: readonly Answer[]): Record<string, number> => {
    const counts: Record<string, number> = {};
    for (const { status, json } of answers) {
      const name = `${status} ${String(json.code ?? json.status)}`;
      counts[name] = (counts[name] ?? 0) + 1;
    }
    return counts;
  };

  it('200 creations at once, on two instances: exactly as many as allowed, and nothing left of the others', async () => {
    const clients = newUser();
    const [other] = newUser();
    const creations = Array.from({ length: 200 }, (_, n) => begin(clients[n % 2] as UploadClient, 20));
    const meanwhile = await begin(other, 20);
    expect(meanwhile.status).toBe(200);
    const answers = await Promise.all(creations);
    expect(codes(answers)).toEqual({ '200 uploading': UPLOADS, '429 quota_exceeded': 200 - UPLOADS });
    const rows = await instances[0]!.dataSource.query<{ id: string }[]>(
      'SELECT id FROM chunked_upload WHERE user_id = $1',
      [answers.find(({ status }) => status === 200)?.json.user_id],
    );
    expect(rows).toHaveLength(UPLOADS);
    const files = await instances[0]!.files();
    expect(files).toHaveLength((await instances[0]!.rows()).length);
  });

  it('declared bytes: never one beyond, whoever comes first', async () => {
    const clients = newUser();
    const sizes = Array.from({ length: 60 }, (_, n) => 2_000 + (n % 7) * 500);
    const answers = await Promise.all(sizes.map((size, n) => begin(clients[n % 2] as UploadClient, size)));
    const declared = answers.reduce((sum, { json }) => sum + Number(json.size ?? 0), 0);
    expect(declared).toBeLessThanOrEqual(BYTES);
    expect(declared).toBeGreaterThan(BYTES - 5_000);
    const [client] = newUser();
    expect((await begin(client, BYTES)).status).toBe(200);
    expect((await begin(client, 10)).status).toBe(429);
    const refused = await begin(newUser()[0], BYTES + 1);
    expect(refused.json).toMatchObject({ code: 'quota_exceeded', limit_bytes: BYTES });
  });

  it('an unknown total hides no bytes: not in the first chunk', async () => {
    const [client] = newUser();
    const answer = await begin(client, '*', BYTES + 1);
    expect(codes([answer])).toEqual({ '429 quota_exceeded': 1 });
  });

  it('an unknown total hides no bytes: where bytes are counted, it has to be declared', async () => {
    const [client] = newUser();
    const { status, json } = await begin(client, '*', 10);
    expect([status, json.detail]).toEqual([429, expect.stringContaining('declare the total')]);
  });

  it('completion, cancelling and expiry make room again', async () => {
    const [client] = newUser();
    const fill = async () => {
      const answers: Answer[] = [];
      for (let n = 0; n <= UPLOADS; n++) answers.push(await begin(client, 10));
      return answers;
    };
    const filled = await fill();
    expect(filled.map(({ status }) => status)).toEqual([...Array<number>(UPLOADS).fill(200), 429]);
    const [first, second, third] = filled.map(({ json }) => String(json.id)) as [string, string, string];
    const { json: wrong } = await client.complete(first, { md5: '0'.repeat(32) });
    expect(wrong.code).toBe('checksum_mismatch');
    expect((await begin(client, 10)).status).toBe(429);

    expect((await client.send(`/${second}`, { method: 'DELETE' })).status).toBe(204);
    const bytes = noise(10);
    const whole = await client.create(bytes);
    expect((await begin(client, 10)).status).toBe(429);
    expect((await client.complete(whole, { md5: md5(bytes) })).status).toBe(200);
    expect((await begin(client, 10)).status).toBe(200);
    expect((await begin(client, 10)).status).toBe(429);

    const { app, dataSource } = instances[0] as TestApp;
    await dataSource.query('UPDATE chunked_upload SET expires_at = now() WHERE id = $1', [third]);
    await app.get(UploadCleanup, { strict: false }).run();
    expect((await begin(client, 10)).status).toBe(200);
  });

  it('what is created already is not created again: the same key at the limit gives the same upload', async () => {
    const [client, elsewhere] = newUser();
    const key = { 'Idempotency-Key': 'the-one' };
    const first = await begin(client, 10, 10, key);
    for (let n = 1; n < UPLOADS; n++) expect((await begin(client, 10)).status).toBe(200);
    const again = await begin(elsewhere, 10, 10, key);
    expect({ status: again.status, id: again.json.id }).toEqual({ status: 200, id: first.json.id });
  });

  it('at the limit an upload goes on, also by a form that names it behind its bytes', async () => {
    const [client] = newUser();
    const { json } = await begin(client, 20);
    for (let n = 1; n < UPLOADS; n++) expect((await begin(client, 10)).status).toBe(200);
    const { headers, body } = form(file(noise(10)), { name: 'upload_id', value: String(json.id) });
    const range = { 'Content-Range': contentRange(10, 10, 20) };
    const answer = await client.send('', { method: 'PUT', headers: { ...headers, ...range }, body });
    expect(answer.json).toMatchObject({ id: json.id, offset: 20 });
    const [otherClient] = newUser();
    const { json: other } = await begin(otherClient, 20);
    const unknown = form(file(noise(10)), { name: 'upload_id', value: String(other.id) });
    const goneOn = await otherClient.send('', {
      method: 'PUT',
      headers: { ...unknown.headers, 'Content-Range': 'bytes 10-19/*' },
      body: unknown.body,
    });
    expect(goneOn.json).toMatchObject({ id: other.id, offset: 20 });
  });

  it.each([
    ['that create', 'bytes 0-9/10'],
    ['that go on, or say so,', 'bytes 1-10/*'],
  ])('forms %s count before their last byte: none holds room for nothing', async (_which, range) => {
    const [client] = newUser();
    const { headers, body } = form(file(noise(10)));
    const all = { ...headers, 'X-User': `user ${users - 1}`, 'Content-Range': range };
    const sending = { method: 'PUT', headers: { ...all, 'Content-Length': `${body.length}` } };
    const forms = Array.from({ length: 4 * UPLOADS }, () => open(instances[0]!, '/upload', sending));
    const refused: number[] = [];
    for (const { answer, send } of forms) {
      answer.then(({ status }) => refused.push(status)).catch(() => undefined);
      await send(body.subarray(0, -5));
    }
    await until(() => refused.length >= UPLOADS);
    expect(refused).toEqual(Array.from({ length: UPLOADS }, () => 429));
    for (const { reset } of forms) reset();
    await until(async () => (await begin(client, 10)).status === 200);
  });

  it('a whole file without a range counts as what its message announces, or what came of it', async () => {
    const [client] = newUser();
    const whole = (bytes: Buffer) =>
      client.send('', { method: 'POST', ...form({ name: 'md5', value: md5(bytes) }, file(bytes)) });
    expect((await begin(client, BYTES - 100)).status).toBe(200);
    expect(codes([await whole(noise(101))])).toEqual({ '429 quota_exceeded': 1 });
    const raw = { method: 'POST', body: noise(101) };
    expect((await client.send(`?md5=${md5(raw.body)}`, raw)).status).toBe(429);
    expect((await whole(noise(100))).status).toBe(200);
  });

  it('what a creation that died left counts for nobody', async () => {
    const [client] = newUser();
    const { json } = await begin(client, BYTES);
    const attempt = 'SET storage_state = NULL, lease_expires_at = now() WHERE id = $1';
    await instances[0]!.dataSource.query(`UPDATE chunked_upload ${attempt}`, [json.id]);
    expect((await begin(client, BYTES)).status).toBe(200);
  });

  it('callers without a user count as one', async () => {
    const nobody = new UploadClient(`${instances[0]!.origin}/upload`);
    const answers = await Promise.all(Array.from({ length: 40 }, () => begin(nobody, 20)));
    expect(codes(answers)).toEqual({ '200 uploading': UPLOADS, '429 quota_exceeded': 40 - UPLOADS });
  });
});
