import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { ConflictException } from '@nestjs/common';
import {
  type Answer,
  contentRange,
  eventually,
  file,
  form,
  md5,
  noise,
  RawConnection,
  UploadClient,
} from '../support/http.js';
import { ADAPTERS, startTestApp, type TestApp } from '../support/test-app.js';

let keys = 0;
const newKey = () => ({ 'Idempotency-Key': `"key-${++keys}"` });

describe.each(ADAPTERS)('Repeated requests on %s', (adapter) => {
  let app: TestApp;
  let ann: UploadClient;
  let bob: UploadClient;
  let refuses = false;

  beforeAll(async () => {
    app = await startTestApp({
      adapter,
      upload: {
        resolveUser: (request) => (request as { headers: Record<string, string> }).headers['x-user'] ?? null,
        onComplete: () => {
          if (refuses) throw new ConflictException('Not now.');
        },
      },
    });
    ann = new UploadClient(`${app.origin}/upload`, { 'x-user': 'ann' });
    bob = new UploadClient(`${app.origin}/upload`, { 'x-user': 'bob' });
  });
  beforeEach(() => {
    refuses = false;
  });
  afterAll(() => app.close());

  const codeOf = ({ status, json }: Answer) => [status, json.code];
  const stored = async () => ({ rows: (await app.rows()).length, files: (await app.files()).length });
  const oneShot = (client: UploadClient, whole: string | Buffer, headers: object, sum = md5(whole)) =>
    client.send(`?md5=${sum}`, {
      method: 'POST',
      headers: { ...headers },
      body: Buffer.from(whole as string),
    });

  it('creates one upload for one key, however often and however it is asked', async () => {
    const before = await stored();
    const key = newKey();
    const first = await ann.put('', 'content', { length: 3 }, key);
    const again = await ann.put('', 'content', { length: 3 }, key);
    const sent = form(file('con'));
    const headers = { ...sent.headers, ...key, 'Content-Range': 'bytes 0-2/7' };
    const inForm = await ann.send('', { method: 'PUT', ...sent, headers });
    for (const answer of [again, inForm]) {
      expect([answer.status, answer.headers.location]).toEqual([200, first.headers.location]);
      expect(answer.json).toMatchObject({ id: first.json.id, offset: 3, status: 'uploading' });
    }
    await ann.put(`/${String(first.json.id)}`, 'content', { start: 3, length: 2 });
    expect((await ann.put('', 'content', { length: 3 }, key)).json).toMatchObject({
      id: first.json.id,
      offset: 5,
    });
    expect(await stored()).toEqual({ rows: before.rows + 1, files: before.files + 1 });
  });

  it('knows keys apart by user, and keeps no key in clear', async () => {
    const key = newKey();
    const [anns, bobs] = [await ann.put('', 'abc', {}, key), await bob.put('', 'abc', {}, key)];
    expect([anns.status, bobs.status]).toEqual([200, 200]);
    expect(anns.json.id).not.toBe(bobs.json.id);
    expect(JSON.stringify(await app.rows())).not.toContain(key['Idempotency-Key'].slice(1, -1));
  });

  it('creates anew after an attempt that failed', async () => {
    const key = newKey();
    const chunked = { ...key, 'Content-Range': 'bytes 0-2/3' };
    expect(codeOf(await ann.send('', { method: 'PUT', headers: chunked, body: ['ab'] }))).toEqual([
      400,
      'length_mismatch',
    ]);
    expect(codeOf(await oneShot(ann, 'abc', key, md5('x')))).toEqual([400, 'checksum_mismatch']);
    const created = await ann.put('', 'abc', {}, key);
    expect([created.status, created.json.offset]).toEqual([200, 3]);
  });

  it('creates anew after an attempt whose connection broke, and takes over from one that hangs', async () => {
    for (const isBroken of [true, false]) {
      const before = await stored();
      const [key, whole] = [newKey(), noise(50_000)];
      const connection = new RawConnection(app.origin).head('PUT /upload', {
        ...key,
        'x-user': 'ann',
        'Content-Range': contentRange(0, 50_000, 50_000),
        'Content-Length': 50_000,
      });
      connection.write(whole.subarray(0, 20_000));
      await eventually(async () => expect((await stored()).files).toBe(before.files + 1));
      if (isBroken) connection.destroy();
      const created = await ann.put('', whole, {}, key);
      expect([created.status, created.json.offset]).toEqual([200, 50_000]);
      expect(await stored()).toEqual({ rows: before.rows + 1, files: before.files + 1 });
      const done = await ann.complete(String(created.json.id), { md5: md5(whole) });
      expect(done.status).toBe(200);
      connection.destroy();
    }
  });

  it('creates one upload for requests at the same time', async () => {
    const before = await stored();
    const [key, whole] = [newKey(), noise(20_000)];
    const answers = await Promise.all(
      Array.from({ length: 6 }, () => ann.put('', whole, { length: 10_000 }, key)),
    );
    const created = answers.filter(({ status }) => status === 200);
    for (const refused of answers.filter(({ status }) => status !== 200)) {
      expect([refused.status, ['busy', 'taken_over']]).toEqual([
        423,
        expect.arrayContaining([refused.json.code]),
      ]);
      expect(refused.headers['retry-after']).toMatch(/^\d+$/);
    }
    expect(created.length).toBeGreaterThanOrEqual(1);
    expect(new Set(created.map(({ json }) => json.id)).size).toBe(1);
    expect(await stored()).toEqual({ rows: before.rows + 1, files: before.files + 1 });
    const id = String(created[0]?.json.id);
    await ann.put(`/${id}`, whole, { start: 10_000 });
    expect((await ann.complete(id, { md5: md5(whole) })).status).toBe(200);
  });

  it('never deletes an upload that was only an attempt when it was looked at', async () => {
    const [key, whole] = [newKey(), noise(20_000)];
    const first = await ann.put('', whole, { length: 10_000 }, key);
    const { repositories, holder } = app.type.engine.context;
    const { uploads } = repositories;
    const look = uploads.sightByIdempotencyKey.bind(uploads);
    // As it was a moment before its commit.
    uploads.sightByIdempotencyKey = async (name) => {
      uploads.sightByIdempotencyKey = look;
      const sighting = await look(name);
      if (!sighting) return null;
      const lease = { leaseToken: randomUUID(), leaseHolder: holder.name };
      Object.assign(sighting.upload, { storageState: null, ...lease });
      return { ...sighting, leaseSeconds: 20 };
    };
    const again = await ann.put('', whole, { length: 10_000 }, key);
    expect([again.status, again.json.id]).toEqual([200, first.json.id]);
    expect((await ann.send(`/${String(first.json.id)}`)).json.offset).toBe(10_000);
  });

  it('gives the same answer to a one-shot again, and never deletes what is complete', async () => {
    const key = newKey();
    const first = await oneShot(ann, 'content', key);
    const again = await oneShot(ann, 'content', key);
    const sent = form(file('content'), { name: 'md5', value: md5('content') });
    const inForm = await ann.send('', { method: 'POST', ...sent, headers: { ...sent.headers, ...key } });
    for (const answer of [again, inForm])
      expect([answer.status, answer.text, answer.headers.location]).toEqual([
        200,
        first.text,
        first.headers.location,
      ]);
    expect(codeOf(await oneShot(ann, 'content', key, md5('other')))).toEqual([400, 'checksum_mismatch']);
    expect(
      codeOf(
        await ann.send('', {
          method: 'POST',
          ...form(file('x')),
          headers: { ...form(file('x')).headers, ...key },
        }),
      ),
    ).toEqual([400, 'checksum_missing']);
    expect((await ann.send(`/${String(first.json.id)}/content`)).text).toBe('content');
  });

  it('never deletes a complete upload for a key that is used again after the time unfinished ones have', async () => {
    for (const sendAgain of [
      (key: object) => oneShot(ann, 'content', key),
      (key: object) => ann.put('', 'content', {}, { ...key }),
    ]) {
      const key = newKey();
      const first = await oneShot(ann, 'content', key);
      const id = String(first.json.id);
      await app.dataSource.query(`UPDATE chunked_upload SET expires_at = now() WHERE id = $1`, [id]);
      expect((await sendAgain(key)).status).toBe(200);
      expect((await ann.send(`/${id}/content`)).text).toBe('content');
    }
  });

  it('leaves no trace of a one-shot whose completion is refused, and takes it later', async () => {
    const before = await stored();
    const key = newKey();
    refuses = true;
    expect(codeOf(await oneShot(ann, 'content', key))).toEqual([409, 'refused']);
    expect(await stored()).toEqual(before);
    refuses = false;
    expect((await oneShot(ann, 'content', key)).json.status).toBe('complete');
  });

  it.each(['', 'a b', 'ü', 'x'.repeat(256), 'a\tb'])('refuses the key "%s"', async (key) => {
    const before = await stored();
    const headers = { 'Idempotency-Key': Buffer.from(key).toString('latin1') };
    expect(codeOf(await ann.put('', 'abc', {}, headers))).toEqual([400, 'malformed_request']);
    expect(await stored()).toEqual(before);
  });

  it('lets one of many chunks at the same place win, and keeps exactly its bytes', async () => {
    for (let round = 0; round < 25; round++) {
      const id = await ann.create('0123456789'.repeat(2), { length: 10 });
      const answers = await Promise.all(
        ['A', 'B', 'C', 'D'].map((letter) => ann.put(`/${id}`, letter.repeat(20), { start: 10 })),
      );
      const winners = ['A', 'B', 'C', 'D'].filter((_, i) => answers[i]?.status === 200);
      for (const { status, json } of answers.filter((answer) => answer.status !== 200))
        expect([
          [400, 'offset_mismatch'],
          [423, 'busy'],
          [423, 'taken_over'],
        ]).toContainEqual([status, json.code]);
      expect(winners).toHaveLength(1);
      const whole = `0123456789${String(winners[0]).repeat(10)}`;
      expect((await ann.complete(id, { md5: md5(whole) })).status).toBe(200);
      expect((await ann.send(`/${id}/content`)).text).toBe(whole);
    }
  });
});
