import { describe, expect, it } from '@jest/globals';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { BasicAuthGuard } from '../../src/index.js';
import { file, form, type Json, md5, send } from '../support/http.js';
import { ADAPTERS, startTestApp } from '../support/test-app.js';

const URLENCODED = { 'Content-Type': 'application/x-www-form-urlencoded' };

describe.each(ADAPTERS)('Form-post on %s, set up otherwise', (adapter) => {
  it('asks for no checksum where none is computed, and is alone where REST is not named', async () => {
    const app = await startTestApp({ adapter, upload: { doors: ['form-post'], checksum: false } });
    try {
      const created = await send(`${app.origin}/chunked_upload`, { method: 'POST', ...form(file('abc')) });
      const body = `upload_id=${String(created.json.upload_id)}`;
      const url = `${app.origin}/chunked_upload_complete`;
      expect((await send(url, { method: 'POST', headers: URLENCODED, body })).text).toBe('{}');
      expect((await send(`${app.origin}/upload`)).status).toBe(404);
    } finally {
      await app.close();
    }
  });

  it('is guarded, takes the field that is its own, and the status that is asked for', async () => {
    const guard = new BasicAuthGuard({ users: { ann: 'secret' } });
    const app = await startTestApp({
      adapter,
      upload: {
        doors: ['form-post'],
        guards: [guard],
        anonymous: false,
        fileField: 'the_file',
        statusOverrides: { offset_mismatch: 409 },
      },
    });
    try {
      const url = `${app.origin}/chunked_upload/`;
      const sent = form(file('abc', 'a.txt', 'the_file'));
      const refused = await send(url, { method: 'POST', ...sent });
      expect([refused.status, refused.json.code]).toEqual([403, 'unauthenticated']);
      const Authorization = `Basic ${Buffer.from('ann:secret').toString('base64')}`;
      const headers = { ...sent.headers, Authorization };
      expect((await send(url, { method: 'POST', ...sent, headers })).json.offset).toBe(3);
      const gap = { ...headers, 'Content-Range': 'bytes 5-7/9' };
      expect((await send(url, { method: 'POST', ...sent, headers: gap })).status).toBe(409);
    } finally {
      await app.close();
    }
  });

  it('answers as the app renders and writes it, and is described by OpenAPI', async () => {
    const app = await startTestApp({
      adapter,
      upload: {
        doors: ['form-post'],
        render: (body, { filename }) => ({ ...body, filename }),
        response: { contentType: 'text/plain', encode: (body) => `json:${JSON.stringify(body)}` },
      },
    });
    try {
      const created = await send(`${app.origin}/chunked_upload`, { method: 'POST', ...form(file('abc')) });
      expect(created.headers['content-type']).toMatch(/^text\/plain/);
      const { upload_id: id, ...rest } = JSON.parse(created.text.slice('json:'.length)) as Json;
      expect(rest).toMatchObject({ offset: 3, filename: 'a.bin' });
      const body = new URLSearchParams({ upload_id: String(id), md5: md5('abc') }).toString();
      const url = `${app.origin}/chunked_upload_complete`;
      expect((await send(url, { method: 'POST', headers: URLENCODED, body })).text).toBe(
        'json:{"filename":"a.bin"}',
      );
      const { paths } = SwaggerModule.createDocument(app.app, new DocumentBuilder().build());
      expect(Object.entries(paths).map(([path, methods]) => [path, Object.keys(methods).sort()])).toEqual([
        ['/chunked_upload', ['delete', 'post']],
        ['/chunked_upload_complete', ['post']],
      ]);
      expect(paths['/chunked_upload']?.post?.requestBody).toHaveProperty(['content', 'multipart/form-data']);
    } finally {
      await app.close();
    }
  });
});
