import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';
import { type Answer, file, form, type Json, md5, UploadClient } from '../support/http.js';
import { ADAPTERS, startTestApp, type TestApp } from '../support/test-app.js';

const UNKNOWN_ID = '01234567-89ab-4cde-8f01-23456789abcd';
const SUM = md5('content');

@Entity()
class Person {
  @PrimaryGeneratedColumn()
  id: number;

  @Column('text')
  boss: string;
}

describe.each(ADAPTERS)('Ids, fields and owners on %s', (adapter) => {
  let app: TestApp;
  let ann: UploadClient;
  let bob: UploadClient;

  beforeAll(async () => {
    app = await startTestApp({
      adapter,
      entities: [Person],
      upload: {
        anonymous: false,
        resolveUser: (request) => (request as { headers: Record<string, string> }).headers['x-user'] ?? null,
        owners: {
          person: {
            entity: Person,
            authorize: async ({ userId, ownerId }) =>
              (await app.dataSource.getRepository(Person).findOneByOrFail({ id: Number(ownerId) })).boss ===
              userId,
          },
        },
      },
    });
    await app.dataSource.getRepository(Person).save([{ boss: 'ann' }, { boss: 'bob' }]);
    ann = new UploadClient(`${app.origin}/upload`, { 'x-user': 'ann' });
    bob = ann.as({ 'x-user': 'bob' });
  });
  afterAll(() => app.close());

  const codeOf = ({ status, json }: Answer) => [status, json.code];
  const rowOf = async (id: unknown): Promise<Json | undefined> =>
    (await app.rows()).find((row) => row.id === id);

  it.each([
    ['upper case', (id: string) => id.toUpperCase()],
    ['32 digits', (id: string) => id.replaceAll('-', '')],
  ])('takes an id in %s', async (_spelling, spell) => {
    const id = await ann.create('content');
    expect((await ann.send(`/${spell(id)}`)).json.id).toBe(id);
    const completed = await ann.complete(spell(id), { md5: SUM });
    expect(completed.json).toMatchObject({ id, url: `${app.origin}/upload/${id}` });
    expect((await ann.send(`/${spell(id)}/content`)).text).toBe('content');
  });

  it('answers everything that is no id with 404, whatever the method', async () => {
    const id = await ann.create('content');
    for (const none of [
      `{${id}}`,
      `%7B${id}%7D`,
      `${id}.`,
      `${id}%20`,
      `%20${id}`,
      `${id}%00`,
      '%00',
      '..%2f..%2fetc%2fpasswd',
      '%2e%2e',
      id.slice(1),
      `${id}0`,
      `urn:uuid:${id}`,
      id.replaceAll('-', '_'),
      '1',
      'null',
      '%27%20or%201=1',
      '%F0%9F%98%80',
      `${id},${UNKNOWN_ID}`,
      '%zz',
      '%',
      'a'.repeat(10_000),
    ]) {
      for (const method of ['GET', 'PUT', 'POST', 'DELETE']) {
        const headers = { 'Content-Range': 'bytes 0-2/3' };
        const answer = await ann.send(`/${none}`, {
          method,
          headers,
          ...(method !== 'GET' && { body: 'abc' }),
        });
        const expected = /^%(zz)?$/.test(none) ? [400, 404] : none.length > 1000 ? [404, 414] : [404];
        expect([none, method, expected.includes(answer.status) ? 'refused' : answer.status]).toEqual([
          none,
          method,
          'refused',
        ]);
      }
    }
    expect(await rowOf(id)).toMatchObject({ offset: '7', status: 'uploading' });
  });

  it("sets nothing that is not the client's to set", async () => {
    const wanted = {
      id: UNKNOWN_ID,
      status: 'complete',
      offset: '99',
      size: '1',
      user_id: 'bob',
      userId: 'bob',
      expires_at: '2099-01-01',
      expires: '2099-01-01',
      storage_key: '../../x',
      storageKey: '../x',
      metadata: '{"a":1}',
      completed_at: '2020-01-01',
      generation: '9',
      lease_token: UNKNOWN_ID,
      checksums: '{}',
      url: 'http://evil',
      idempotency_key: 'x',
    };
    const query = `?${new URLSearchParams(wanted).toString()}`;
    const fields = Object.entries(wanted).map(([name, value]) => ({ name, value }));
    const sent = form(...fields, file('con'));
    const range = { 'Content-Range': 'bytes 0-2/7' };
    const answers = [
      await ann.put(query, 'content', { length: 3 }),
      await ann.send('', { method: 'PUT', ...sent, headers: { ...sent.headers, ...range } }),
    ];
    for (const { status, json } of answers) {
      expect(status).toBe(200);
      const id = String(json.id);
      await ann.put(`/${id}${query}&owner_type=person&owner_id=1`, 'content', { start: 3, length: 1 });
      const row = await rowOf(id);
      expect(row).toMatchObject({
        status: 'uploading',
        offset: '4',
        size: '7',
        user_id: 'ann',
        metadata: {},
        generation: 0,
        lease_token: null,
        completed_at: null,
        idempotency_key: null,
        owner_type: null,
        owner_id: null,
      });
      expect(row?.storage_key).toMatch(new RegExp(`^\\d{4}/\\d\\d/\\d\\d/${id}$`));
      expect(Number(row?.expires_at) - Date.now()).toBeLessThan(25 * 3600_000);
      await ann.put(`/${id}`, 'content', { start: 4 });
      const completed = await ann.complete(id, { ...wanted, md5: SUM, owner_type: 'person', owner_id: '1' });
      expect(completed.json).toMatchObject({ id, size: 7, user_id: 'ann', metadata: {}, owner_type: null });
    }
    expect(await rowOf(UNKNOWN_ID)).toBeUndefined();
  });

  it('attaches an upload to an owner the user may have, by query, form and behind the file', async () => {
    const owner = [
      { name: 'owner_type', value: 'person' },
      { name: 'owner_id', value: '1' },
    ];
    const range = { 'Content-Range': 'bytes 0-2/3' };
    const before = form(...owner, file('abc'));
    const behind = form(file('abc'), ...owner);
    const answers = [
      await ann.put('?owner_type=person&owner_id=1', 'abc'),
      await ann.send('', { method: 'PUT', ...before, headers: { ...before.headers, ...range } }),
      await ann.send('', { method: 'PUT', ...behind, headers: { ...behind.headers, ...range } }),
    ];
    for (const { status, json } of answers)
      expect([status, json]).toEqual([200, expect.objectContaining({ owner_type: 'person', owner_id: '1' })]);
    const listed = (await ann.send('?owner_type=person&owner_id=1')).json.items as Json[];
    expect(listed.map((item) => item.id).sort()).toEqual(answers.map(({ json }) => json.id).sort());
    expect((await ann.send('?owner_type=person&owner_id=2')).json.items).toEqual([]);
    expect((await bob.send('?owner_type=person&owner_id=1')).json.items).toEqual([]);
  });

  it.each([
    ['person', '2'],
    ['person', '999'],
    ['person', 'x'],
    ['person', '1e0'],
    ['person', '99999999999999999999'],
    ['person', '%00'],
    ['person', '1%00'],
    ['person', '%201'],
    ['person', '01'],
    ['person', '%2B1'],
    ['person', '1 or 1=1'.replaceAll(' ', '%20')],
    ['Person', '1'],
    ['user', '1'],
    ['__proto__', '1'],
    ['constructor', '1'],
    ['toString', '1'],
    ['%00', '1'],
    ['person', ''],
    ['', '1'],
  ])('attaches nothing to owner %s %s, and does not say why', async (type, ownerId) => {
    const rows = (await app.rows()).length;
    const refused = await ann.put(`?owner_type=${type}&owner_id=${ownerId}`, 'abc');
    expect(codeOf(refused)).toEqual([400, 'owner_not_allowed']);
    const half = type === '' || ownerId === '';
    expect(refused.json.detail).toMatch(half ? /together/ : /^Uploads cannot be attached to that owner\.$/);
    expect(await app.rows()).toHaveLength(rows);
  });
});
