import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type CanActivate, type ExecutionContext, Inject, Injectable, Module } from '@nestjs/common';
import { createHmac, timingSafeEqual } from 'node:crypto';
import { UploadError } from '../../src/index.js';
import { type Json, UploadClient } from '../support/http.js';
import { ADAPTERS, startTestApp, type TestApp } from '../support/test-app.js';

const SECRET = 'a secret of the app';

const sign = (text: string, secret: string) => createHmac('sha256', secret).update(text).digest('base64url');
const encode = (json: object) => Buffer.from(JSON.stringify(json)).toString('base64url');

function jwt(claims: object, { secret = SECRET, alg = 'HS256' } = {}): string {
  const text = `${encode({ alg, typ: 'JWT' })}.${encode(claims)}`;
  return `${text}.${sign(text, secret)}`;
}

/** What an app has in its auth module. */
@Injectable()
class Tokens {
  read(token: string): { sub: string } {
    const [header = '', claims = '', signature = ''] = token.split('.');
    const expected = Buffer.from(sign(`${header}.${claims}`, SECRET));
    const given = Buffer.from(signature);
    const isSigned = given.length === expected.length && timingSafeEqual(given, expected);
    const { alg } = isSigned ? this.parse<{ alg?: string }>(header) : {};
    const { sub, exp } = alg === 'HS256' ? this.parse<{ sub?: string; exp?: number }>(claims) : {};
    if (sub === undefined || exp === undefined || exp * 1000 < Date.now()) {
      const challenge = 'Bearer realm="uploads"';
      throw new UploadError('unauthenticated', 'The token is missing, wrong or too old.', { challenge });
    }
    return { sub };
  }

  private parse<Shape>(part: string): Shape {
    return JSON.parse(Buffer.from(part, 'base64url').toString('utf8')) as Shape;
  }
}

/** A guard of the app, with a dependency of the app's, named as a class. */
@Injectable()
class JwtGuard implements CanActivate {
  constructor(@Inject(Tokens) private readonly tokens: Tokens) {}

  canActivate(context: ExecutionContext): boolean {
    const request = context
      .switchToHttp()
      .getRequest<{ headers: { authorization?: string }; user?: { sub: string } }>();
    request.user = this.tokens.read((request.headers.authorization ?? '').replace(/^Bearer /, ''));
    return true;
  }
}

@Module({ providers: [Tokens], exports: [Tokens] })
class AuthModule {}

describe.each(ADAPTERS)("An app's own JWT guard on %s", (adapter) => {
  let app: TestApp;

  beforeAll(async () => {
    app = await startTestApp({
      adapter,
      upload: { anonymous: false, guards: [JwtGuard] },
      imports: [{ module: AuthModule, global: true }],
    });
  });
  afterAll(() => app.close());

  const exp = Math.floor(Date.now() / 1000) + 3600;
  const client = (token: string) =>
    new UploadClient(`${app.origin}/upload`, { Authorization: `Bearer ${token}` });

  it('signs users in by the sub of their token, and keeps them apart', async () => {
    const [ann, bob] = [client(jwt({ sub: 'ann', exp })), client(jwt({ sub: 'bob', exp }))];
    const id = await ann.create('content', { length: 3 });
    expect((await ann.send(`/${id}`)).json.user_id).toBe('ann');
    expect((await bob.send(`/${id}`)).status).toBe(404);
    expect(((await bob.send('')).json.items as Json[]).length).toBe(0);
  });

  it('turns away what is forged, old or no token, with its own challenge', async () => {
    const good = jwt({ sub: 'ann', exp });
    const [header, , signature] = good.split('.');
    for (const token of [
      '',
      'x',
      jwt({ sub: 'ann', exp: 1 }),
      jwt({ sub: 'ann' }),
      jwt({ exp }),
      jwt({ sub: 'ann', exp }, { secret: 'another' }),
      jwt({ sub: 'ann', exp }, { alg: 'none' }),
      `${header}.${encode({ sub: 'bob', exp })}.${signature}`,
    ]) {
      const refused = await client(token).put('', 'abc');
      expect([refused.status, refused.json.code]).toEqual([401, 'unauthenticated']);
      expect(refused.headers['www-authenticate']).toBe('Bearer realm="uploads"');
    }
  });
});
