import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { createHash, createHmac } from 'node:crypto';
import type { DataSource } from 'typeorm';
import { ApiKeyService } from '../../src/access/api-key.service.js';
import { InvalidOptionError } from '../../src/index.js';
import { eventually, type Json } from '../support/http.js';
import type { TestDatabase } from '../support/test-app.js';
import { createKeysDatabase, keysDataSource } from './support/keys-app.js';

const NO_ID = '01234567-89ab-4cde-8f01-23456789abcd';
const sha256 = (text: string) => createHash('sha256').update(text).digest();

describe('ApiKeyService', () => {
  let database: TestDatabase;
  let source: DataSource;
  let keys: ApiKeyService;

  beforeAll(async () => {
    database = await createKeysDatabase();
    source = keysDataSource(database);
    await source.initialize();
    keys = new ApiKeyService(source);
  });
  afterAll(async () => {
    await source.destroy();
    await database.drop();
  });

  const rowOf = async (id: string): Promise<Json> => {
    const found: Json[] = await source.query('SELECT * FROM chunked_upload_api_key WHERE id = $1', [id]);
    return found[0] as Json;
  };
  const sign = (hash: Buffer, text: string) => createHmac('sha256', hash).update(text).digest('hex');

  it('has a table that is exactly what the entity describes, and goes down and up again', async () => {
    const { upQueries } = await source.driver.createSchemaBuilder().log();
    expect(upQueries.map(({ query }) => query)).toEqual([]);
    const other = await createKeysDatabase();
    const second = await keysDataSource(other).initialize();
    try {
      await second.undoLastMigration();
      expect(await second.query(`SELECT to_regclass('chunked_upload_api_key') AS found`)).toEqual([
        { found: null },
      ]);
      await second.runMigrations();
      expect(await second.showMigrations()).toBe(false);
    } finally {
      await second.destroy();
      await other.drop();
    }
  });

  it('gives a key away once, and stores only its digest', async () => {
    const { key, record } = await keys.create({ userId: 'ann', label: 'laptop' });
    expect(key).toMatch(/^cu_[0-9a-f-]{36}_[A-Za-z0-9_-]{43}$/);
    expect(key.startsWith(`cu_${record.id}_`)).toBe(true);
    const row = await rowOf(record.id);
    expect(row).toMatchObject({ user_id: 'ann', label: 'laptop', revoked_at: null, expires_at: null });
    expect(row.hash).toEqual(sha256(key));
    expect(JSON.stringify(row)).not.toContain(key.slice(-43));
    const shown = [record, ...(await keys.list())];
    for (const one of shown) expect(Object.keys(one)).not.toContain('hash');
    expect(await keys.verify(key)).toEqual({ keyId: record.id, userId: 'ann' });
    expect(await keys.verify(key, 'ann')).toEqual({ keyId: record.id, userId: 'ann' });
    expect((await keys.create({ userId: 'ann' })).key).not.toBe(key);
  });

  it('lists newest first, of one user or of all, and revokes once', async () => {
    const first = (await keys.create({ userId: 'lia' })).record;
    await source.query(
      `UPDATE chunked_upload_api_key SET created_at = created_at - interval '1 s' WHERE id = $1`,
      [first.id],
    );
    const { key, record: second } = await keys.create({ userId: 'lia', label: 'phone' });
    expect((await keys.list({ userId: 'lia' })).map(({ id }) => id)).toEqual([second.id, first.id]);
    expect((await keys.list()).length).toBeGreaterThan(2);
    for (const userId of ['nobody', '', 'l\0', '\ud800']) expect(await keys.list({ userId })).toEqual([]);

    for (const [id, userId] of [
      [second.id, 'ann'],
      [second.id, 'l\0'],
      [NO_ID, 'lia'],
      ["'; --", undefined],
    ] as const)
      expect(await keys.revoke(id, userId)).toBe(false);
    expect(await keys.verify(key)).not.toBeNull();
    expect(await keys.revoke(second.id, 'lia')).toBe(true);
    expect(await keys.verify(key)).toBeNull();
    const { revokedAt } = (await keys.list({ userId: 'lia' }))[0] ?? {};
    expect(revokedAt).toBeInstanceOf(Date);
    expect(await keys.revoke(second.id)).toBe(false);
    expect((await keys.list({ userId: 'lia' }))[0]?.revokedAt).toEqual(revokedAt);
  });

  it('ends a key at its time, by the clock of the database', async () => {
    const { key, record } = await keys.create({ userId: 'ann', expiresIn: '1h' });
    const inMs = (record.expiresAt?.getTime() ?? 0) - record.createdAt.getTime();
    expect(inMs).toBe(3_600_000);
    const clock = jest.spyOn(Date, 'now').mockReturnValue(Date.now() + 7_200_000);
    expect(await keys.verify(key)).not.toBeNull();
    clock.mockRestore();
    await source.query('UPDATE chunked_upload_api_key SET expires_at = now() WHERE id = $1', [record.id]);
    expect(await keys.verify(key)).toBeNull();
  });

  it.each([
    [{ userId: '' }, /userId must not be empty/],
    [{ userId: 'a\0' }, /userId must be at most 200 characters/],
    [{ userId: 'a\r\nSet-Cookie: x' }, /control characters/],
    [{ userId: '\ud800' }, /userId must be/],
    [{ userId: 'x'.repeat(201) }, /userId must be at most 200/],
    [{ userId: 'a', label: 'b\u001b[31m' }, /label must be/],
    [{ userId: 'a', expiresIn: 'soon' }, /expiresIn must be .*'1d'/],
    [{ userId: 'a', expiresIn: 0 }, /expiresIn must be/],
    [{ userId: 'a', expiresIn: 1e300 }, /100 years/],
  ])('refuses the draft %j', async (draft, message) => {
    const refusal = keys.create(draft);
    await expect(refusal).rejects.toThrow(InvalidOptionError);
    await expect(refusal).rejects.toThrow(message);
  });

  it('takes no key for another: changed, cut, longer, of another id, of another user', async () => {
    const ann = await keys.create({ userId: 'ann' });
    const bob = await keys.create({ userId: 'bob' });
    const [id, secret] = [ann.record.id, ann.key.slice(-43)];
    const last = secret.at(-1) === 'A' ? 'B' : 'A';
    const wrong = [
      '',
      'cu__',
      secret,
      `cu_${id}_`,
      `cu_${id}_${secret.slice(0, -1)}${last}`,
      `cu_${id}_${secret.slice(0, -1)}`,
      `${ann.key}A`,
      `${ann.key}\n`,
      ` ${ann.key}`,
      `${ann.key}\0`,
      ann.key.toUpperCase(),
      `cu_${bob.record.id}_${secret}`,
      `cu_${NO_ID}_${secret}`,
      'x'.repeat(1_000_000),
      `cu_${id}_${'A'.repeat(1_000_000)}`,
    ];
    for (const key of wrong) expect(await keys.verify(key)).toBeNull();
    for (const userId of ['bob', '', 'ann ', 'Ann', 'ann\0', '__proto__', 'x'.repeat(100_000)])
      expect(await keys.verify(ann.key, userId)).toBeNull();
  });

  it('verifies signatures by the digest of the key', async () => {
    const { key, record } = await keys.create({ userId: 'ann' });
    const [text, keyId] = ['PUT\n/upload\n1', record.id];
    const signature = sign(sha256(key), text);
    const holder = { keyId, userId: 'ann' };
    // The same to HMAC, which hashes keys above 64 bytes: clients sign with the key as it is (RFC 2104 section 2).
    expect(sign(Buffer.from(key), text)).toBe(signature);
    expect(await keys.verifySignature({ keyId, text, signature })).toEqual(holder);
    expect(await keys.verifySignature({ keyId, text, signature: signature.toUpperCase() })).toEqual(holder);
    for (const wrong of [
      { keyId, text: `${text} `, signature },
      { keyId, text, signature: signature.slice(2) },
      { keyId, text, signature: `${signature}00` },
      { keyId, text, signature: `zz${signature.slice(2)}` },
      { keyId: NO_ID, text, signature },
      { keyId: 'x', text, signature },
      // What the comparison for a key that is not there would take.
      { keyId: NO_ID, text, signature: sign(Buffer.alloc(32), text) },
    ])
      expect(await keys.verifySignature(wrong)).toBeNull();
    await keys.revoke(keyId);
    expect(await keys.verifySignature({ keyId, text, signature })).toBeNull();
  });

  it('writes the last use down to the minute, once for many at a time, and for right keys only', async () => {
    const { key, record } = await keys.create({ userId: 'ann' });
    await keys.verify(`${key.slice(0, -5)}AAAAA`);
    await keys.verify(key, 'bob');
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect((await rowOf(record.id)).last_used_at).toBeNull();
    await Promise.all(Array.from({ length: 20 }, () => keys.verify(key)));
    await eventually(async () => expect((await rowOf(record.id)).last_used_at).not.toBeNull());
    const first = (await rowOf(record.id)).last_used_at;
    const statements = jest.spyOn(source.driver, 'createQueryRunner');
    await keys.verify(key);
    expect(statements).toHaveBeenCalledTimes(1);
    statements.mockRestore();
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect((await rowOf(record.id)).last_used_at).toEqual(first);
    await source.query(
      `UPDATE chunked_upload_api_key SET last_used_at = now() - interval '61 s' WHERE id = $1`,
      [record.id],
    );
    await keys.verify(key);
    await eventually(async () =>
      expect(Number((await rowOf(record.id)).last_used_at)).toBeGreaterThanOrEqual(Number(first)),
    );
  });

  it('lets a request pass whose time cannot be written down, and does not wait for it', async () => {
    const { key, record } = await keys.create({ userId: 'ann' });
    const warn = jest.spyOn(Logger.prototype, 'warn').mockReturnValue();
    await source.query(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN PERFORM pg_sleep(0.5); RAISE EXCEPTION 'no'; END $$`);
    await source.query(
      `CREATE TRIGGER refuse BEFORE UPDATE ON chunked_upload_api_key FOR EACH ROW EXECUTE FUNCTION refuse()`,
    );
    try {
      const start = Date.now();
      expect(await keys.verify(key)).toMatchObject({ userId: 'ann' });
      expect(Date.now() - start).toBeLessThan(400);
      await new Promise((resolve) => setTimeout(resolve, 800));
      expect(await keys.verify(key)).toMatchObject({ userId: 'ann' });
      expect((await rowOf(record.id)).last_used_at).toBeNull();
      expect(warn).toHaveBeenCalledWith(
        `The last use of API key ${record.id} could not be written: QueryFailedError: no`,
      );
    } finally {
      await new Promise((resolve) => setTimeout(resolve, 800));
      await source.query('DROP TRIGGER refuse ON chunked_upload_api_key');
      warn.mockRestore();
    }
  });

  it('lets nobody in when the database is away', async () => {
    const { key, record } = await keys.create({ userId: 'ann' });
    const away = await keysDataSource(database).initialize();
    const service = new ApiKeyService(away);
    await away.destroy();
    const signed = { keyId: record.id, text: '', signature: '0'.repeat(64) };
    for (const work of [() => service.verify(key), () => service.verifySignature(signed)])
      await expect(work()).rejects.toMatchObject({ code: 'database_unavailable' });
  });
});
