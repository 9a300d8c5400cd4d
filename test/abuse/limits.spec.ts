import { rename } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { file, form, md5, noise, type Part, RawConnection, UploadClient } from '../support/http.js';
import { ADAPTERS } from '../support/test-app.js';
import { Abused } from './support/abused.js';

const RANGE = { 'Content-Range': 'bytes 0-9/10' };
const CANARY = 'canary-5f1e';

describe.each(ADAPTERS)('limits, on %s', (adapter) => {
  let abused: Abused;
  let client: UploadClient;
  beforeAll(async () => {
    abused = await Abused.start(adapter);
    client = new UploadClient(`${abused.origin}/upload`);
  });
  afterAll(() => abused.stop());

  const rowOf = async (id: unknown) => (await abused.report()).rows.find((row) => row.id === id);
  const sendForm = (...parts: Part[]) => {
    const { headers, body } = form(...parts);
    return client.send('', { method: 'PUT', headers: { ...headers, ...RANGE }, body });
  };

  it('field bombs: refused, nothing stored, memory flat', async () => {
    const before = await abused.report();
    const bombs: Part[][] = [
      Array.from({ length: 5_000 }, (_, n) => ({ name: `f${n}`, value: 'x' })),
      [{ name: 'filename', value: 'x'.repeat(1_000_000) }],
      [{ name: 'n'.repeat(100_000), value: 'x' }],
      Array.from({ length: 40 }, () => file(noise(10))),
      Array.from({ length: 2_000 }, () => ({ name: 'filename', value: 'same' })),
      [{ name: 'a[b]'.repeat(1_000), value: 'x' }],
    ];
    for (const bomb of bombs) {
      const { status } = await sendForm(...bomb, file(noise(10)));
      expect([400, 413]).toContain(status);
      const behind = await sendForm(file(noise(10)), ...bomb);
      expect([400, 413]).toContain(behind.status);
    }
    const after = await abused.report();
    expect(after.rows).toHaveLength(before.rows.length);
    expect(await abused.files()).toHaveLength(after.rows.length);
    expect(after.rss - before.rss).toBeLessThan(100 * 2 ** 20);
  });

  it('mass assignment: fields and query set what they may, and nothing else', async () => {
    const evil = {
      id: '11111111-1111-4111-8111-111111111111',
      user_id: 'root',
      userId: 'root',
      status: 'complete',
      offset: '999',
      size: '1',
      storage_key: '../../outer',
      storageKey: '../../outer',
      lease_token: 'mine',
      generation: '7',
      expires_at: '2999-01-01',
      completed_at: '2000-01-01',
      checksums: '{"md5":"x"}',
      metadata: '{"admin":true}',
      __proto__x: '1',
    };
    const fields = Object.entries(evil).map(([name, value]) => ({ name, value }));
    const query = new URLSearchParams(evil).toString();
    const formed = await sendForm(...fields, file(noise(10)));
    const late = await sendForm(file(noise(10)), ...fields);
    const raw = await client.put(`?${query}`, noise(10));
    for (const { status, json } of [formed, late, raw]) {
      expect(status).toBe(200);
      expect(json).toMatchObject({ offset: 10, size: 10, status: 'uploading', user_id: null, metadata: {} });
      expect(await rowOf(json.id)).toMatchObject({ generation: 0, lease_token: null, completed_at: null });
      expect(String((await rowOf(json.id))?.storage_key)).toMatch(
        new RegExp(`^2\\d{3}/.*/${String(json.id)}$`),
      );
      expect(new Date(json.expires as string).getFullYear()).toBeLessThan(2900);
    }
    expect(await rowOf(evil.id)).toBeUndefined();
  });

  it('repeated query keys and compressed bodies are refused', async () => {
    for (const query of ['limit=1&limit=2', 'status=a&status=b', 'cursor=a&cursor=b']) {
      const { status, json } = await client.send(`?${query}`);
      expect({ query, status, code: json.code }).toEqual({ query, status: 400, code: 'malformed_request' });
    }
    expect((await client.put('?filename=a&filename=b', noise(10))).status).toBe(400);
    const id = await client.create(noise(10));
    const body = gzipSync('{"md5":"x"}');
    const headers = { 'Content-Encoding': 'gzip', 'Content-Type': 'application/json' };
    for (const [path, method] of [
      ['', 'PUT'],
      ['', 'POST'],
      [`/${id}`, 'POST'],
      [`/${id}`, 'PUT'],
    ] as const) {
      const range = method === 'PUT' ? { 'Content-Range': `bytes 0-${body.length - 1}/${body.length}` } : {};
      const { status, json } = await client.send(path, { method, headers: { ...headers, ...range }, body });
      expect({ path, method, status, code: json.code }).toEqual({
        path,
        method,
        status: 415,
        code: 'encoding_not_supported',
      });
    }
  });

  it('hosts: what is none never comes back, in Location or url', async () => {
    const hosts = [
      'evil"><script>',
      'a@evil.example',
      'evil.example/x',
      'evil.example?',
      'evil\\x',
      'a,b',
      'x:y',
    ];
    for (const host of hosts) {
      const connection = new RawConnection(abused.origin);
      const lines = [
        'PUT /upload HTTP/1.1',
        `Host: ${host}`,
        'Content-Range: bytes 0-0/1',
        'Content-Length: 1',
      ];
      connection.write(`${lines.join('\r\n')}\r\n\r\nx`);
      const { head, json, status } = await connection.answer();
      connection.destroy();
      if (status === 400) continue;
      expect({ host, url: json.url }).toEqual({ host, url: `/upload/${String(json.id)}` });
      expect(/^location: (.*)$/im.exec(head)?.[1]).toBe(json.url);
    }
    const forwarded = { 'X-Forwarded-Host': 'evil.example', 'X-Forwarded-Proto': 'https' };
    const { json } = await client.put('', noise(10), {}, forwarded);
    expect(String(json.url)).toBe(`${abused.origin}/upload/${String(json.id)}`);
  });

  it('headers of answers: no name breaks out of Content-Disposition', async () => {
    const names = [
      "UTF-8''a%0d%0aX-Evil:%201%0d%0a%0d%0a<script>",
      "UTF-8''a%22%3b%20filename=%22evil.html",
      "UTF-8''%E2%80%AE%F0%9F%A6%8A%0a.txt",
      "UTF-8''a%00b",
      "UTF-8''a%5c%22b",
    ];
    for (const name of names) {
      const bytes = noise(10);
      const created = await client.put(
        '',
        bytes,
        {},
        { 'Content-Disposition': `attachment; filename*=${name}` },
      );
      if (created.status === 400) continue;
      const id = String(created.json.id);
      expect((await client.complete(id, { md5: md5(bytes) })).status).toBe(200);
      const { headers } = await client.send(`/${id}/content`);
      expect(headers['x-evil']).toBeUndefined();
      expect(headers['content-disposition']).toMatch(
        /^attachment; filename="?[^"]*"?(; filename\*=UTF-8''[\w%.~!*-]+)?$/,
      );
      expect(headers['x-content-type-options']).toBe('nosniff');
    }
  });

  it('headers that are bad for regular expressions: 8 kB as quickly as a few bytes, 1 MB not at all', async () => {
    const seeds = [
      '0',
      ' ',
      '\t',
      '"',
      '\\"',
      ';a="',
      'a=;',
      '=',
      ',',
      '"a",',
      'bytes 0-',
      '-',
      '%',
      "UTF-8''",
      '\xe9',
    ];
    const names = [
      'Content-Range',
      'Content-Disposition',
      'Content-Type',
      'Range',
      'If-None-Match',
      'If-Range',
      'Idempotency-Key',
      'Content-Encoding',
      'X-User',
    ];
    const id = await client.store(noise(100));
    const prefix: Record<string, string> = {
      'Content-Range': 'bytes ',
      'Content-Disposition': 'attachment; filename="',
      'Content-Type': 'multipart/form-data; boundary=',
      Range: 'bytes=',
    };
    const timed = async (name: string, seeded: string) => {
      const value = `${prefix[name] ?? ''}a${seeded}!`;
      const startedAt = performance.now();
      await Promise.all([
        client.send(`/${id}/content`, { headers: { [name]: value } }),
        client.send('', { method: 'PUT', headers: { ...RANGE, [name]: value }, body: noise(10) }),
      ]);
      return performance.now() - startedAt;
    };
    const slow: string[] = [];
    for (const name of names)
      for (const seed of seeds) {
        const times: string[] = [];
        let isQuick = false;
        // A slow expression is slow every time, and slower than a short value; a slow disk or a busy machine is not.
        while (times.length < 4 && !isQuick) {
          const ms = await timed(name, seed.repeat(8_000 / seed.length));
          const plain = ms < 50 ? 0 : await timed(name, seed);
          isQuick = ms < Math.max(50, 3 * plain);
          times.push(`${ms} (short: ${plain})`);
        }
        if (!isQuick) slow.push(`${name}: ${seed} ${times.join()}`);
      }
    expect(slow).toEqual([]);
    const connection = new RawConnection(abused.origin);
    connection.write(`GET /upload HTTP/1.1\r\nHost: a\r\nX-Long: ${'x'.repeat(1_000_000)}\r\n\r\n`);
    await connection.until(/^HTTP\/1\.1 431/);
    connection.destroy();
  }, 120_000);

  it('the log: no forged lines, no names, no secrets, when everything fails', async () => {
    const before = abused.log.length;
    const id = await client.create(noise(10), { length: 5 });
    await rename(abused.root, `${abused.root}-away`);
    const evil = `${CANARY}\x0d\x0aERROR forged`;
    const headers = {
      Authorization: `Bearer ${CANARY}`,
      Cookie: `session=${CANARY}`,
      'X-Api-Key': CANARY,
      'Content-Disposition': `attachment; filename*=UTF-8''${encodeURIComponent(evil)}`,
      'Idempotency-Key': CANARY,
    };
    try {
      const query = `?api_key=${CANARY}&filename=${encodeURIComponent(evil)}`;
      const failed = [
        await client.put('', noise(10), {}, headers),
        await client.put(query, noise(10), {}, { ...headers, 'Content-Disposition': [] }),
        await client.put(`/${id}${query}`, noise(10), { start: 5 }, headers),
        await sendForm({ name: 'filename', value: CANARY }, file(noise(10), CANARY)),
      ];
      for (const { status, text } of failed) {
        expect([400, 503]).toContain(status);
        expect(text).not.toContain(abused.root);
      }
      await client.put(`/${id}`, noise(10), { start: 5 });
    } finally {
      await rename(`${abused.root}-away`, abused.root);
    }
    const log = abused.log.slice(before);
    expect(log).toContain('storage_unavailable');
    expect(log).not.toContain(CANARY);
    expect(log).not.toContain('forged');
    const lines = log.split('\n').filter((line) => line !== '');
    // An event is one line, and under it at most where in our own code it happened.
    const isEvent = (line: string) => /^\[Nest\] \d+ {2}- .* ERROR \[ChunkedUpload\] \w+: /.test(line);
    const isFrame = (line: string) =>
      /^ {4}at (async )?([\w.<>]+ \()?(file:|node:|\/)[^()]*:\d+:\d+\)?$/.test(line);
    expect(lines.filter((line) => !isEvent(line) && !isFrame(line))).toEqual([]);
    expect(lines.filter(isEvent).length).toBeGreaterThan(2);
  });
});
