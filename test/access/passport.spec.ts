import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Global, Injectable, Module } from '@nestjs/common';
import { JwtModule, JwtService } from '@nestjs/jwt';
import { AuthGuard, PassportModule, PassportStrategy } from '@nestjs/passport';
import { ExtractJwt, Strategy } from 'passport-jwt';
import { contentRange, form, file, type Json, md5, RawConnection, UploadClient } from '../support/http.js';
import { ADAPTERS, startTestApp, type TestApp } from '../support/test-app.js';

const SECRET = 'a secret of the app, 32 bytes or more';

@Injectable()
class JwtStrategy extends PassportStrategy(Strategy) {
  constructor() {
    super({ jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(), secretOrKey: SECRET });
  }

  validate({ sub }: { sub: string }): { id: string } {
    return { id: sub };
  }
}

@Global()
@Module({
  imports: [PassportModule, JwtModule.register({ secret: SECRET, signOptions: { expiresIn: '1h' } })],
  providers: [JwtStrategy],
  exports: [JwtModule],
})
class AuthModule {}

describe.each(ADAPTERS)('Passport with JWT on %s', (adapter) => {
  let app: TestApp;
  let ann: UploadClient;
  let bob: UploadClient;

  beforeAll(async () => {
    app = await startTestApp({
      adapter,
      imports: [AuthModule],
      upload: { anonymous: false, guards: [AuthGuard('jwt')], doors: ['rest', 'form-post'] },
    });
    const tokens = app.app.get(JwtService, { strict: false });
    const client = (sub: string) =>
      new UploadClient(`${app.origin}/upload`, { Authorization: `Bearer ${tokens.sign({ sub })}` });
    [ann, bob] = [client('ann'), client('bob')];
  });
  afterAll(() => app.close());

  it('a good token uploads, in chunks, raw and in forms', async () => {
    const id = await ann.create('content', { length: 3 });
    const next = form(file('tent'));
    const headers = { ...next.headers, 'Content-Range': contentRange(3, 4, 7) };
    expect((await ann.send(`/${id}`, { method: 'PUT', ...next, headers })).status).toBe(200);
    const done = await ann.complete(id, { md5: md5('content') });
    expect([done.status, done.json.status, done.json.user_id]).toEqual([200, 'complete', 'ann']);
    expect((await ann.send(`/${id}/content`)).text).toBe('content');
  });

  it('an upload of somebody else does not exist', async () => {
    const id = await ann.create('content', { length: 3 });
    const missing = '2b6cbf0e-6f4c-4d0e-9a39-3b1f6a9f0e11';
    const tries = [
      (upload: string) => bob.send(`/${upload}`),
      (upload: string) => bob.put(`/${upload}`, 'content', { start: 3 }),
      (upload: string) => bob.complete(upload, { md5: md5('content') }),
      (upload: string) => bob.send(`/${upload}`, { method: 'DELETE' }),
      (upload: string) => bob.send(`/${upload}/content`),
    ];
    for (const attempt of tries) {
      const [foreign, unknown] = [await attempt(id), await attempt(missing)];
      expect([foreign.status, foreign.text.replaceAll(id, missing)]).toEqual([404, unknown.text]);
    }
    expect(((await bob.send('')).json.items as Json[]).length).toBe(0);
    expect((await ann.send(`/${id}`)).json.offset).toBe(3);
  });

  it.each(['/upload', '/chunked_upload'])(
    'without a good token %s answers 401 before a byte is read',
    async (path) => {
      const [rows, files] = [await app.rows(), await app.files()];
      const forged = new JwtService({ secret: 'another' }).sign({ sub: 'ann' });
      const old = new JwtService({ secret: SECRET }).sign({ sub: 'ann', exp: 1 });
      for (const authorization of [
        '',
        'Bearer',
        'Bearer x',
        `Bearer ${forged}`,
        `Bearer ${old}`,
        'Basic YTpi',
      ]) {
        // Nothing of the body is sent: an answer can only come from the headers.
        const connection = new RawConnection(app.origin).head(`POST ${path}`, {
          'Content-Type': 'multipart/form-data; boundary=x',
          'Content-Range': 'bytes 0-999999/1000000',
          'Content-Length': 1_000_200,
          Expect: '100-continue',
          ...(authorization && { Authorization: authorization }),
        });
        const { status, json, head } = await connection.answer();
        connection.destroy();
        expect([status, json.code]).toEqual([401, 'unauthenticated']);
        expect(head).toMatch(/^content-type: application\/problem\+json/im);
        expect(connection.received).not.toContain('100 Continue');
      }
      expect([await app.rows(), await app.files()]).toEqual([rows, files]);
    },
  );
});
