import { type CanActivate, type ExecutionContext, Injectable, UnauthorizedException } from '@nestjs/common';
import { Column, Entity } from 'typeorm';
import type { UploadAdminOptions } from '../../../src/admin/admin-options.js';
import { ChunkedUploadModule, type UploadFeature, uploadBase } from '../../../src/index.js';
import { ChunkedUploadAdminModule } from '../../../src/upload-admin.module.js';
import { type Answer, call, put } from '../../engine/support/client.js';
import { type AdapterName, startTestApp, type TestApp, type TestAppOptions } from '../../support/test-app.js';

/** A second upload type, whose user is a number in a column of its own. */
@Entity('film')
export class FilmUpload extends uploadBase({ name: 'producer_id', type: 'int' }) {
  @Column('text', { nullable: true })
  secret: string | null;
}

/** Lets pass whom the header calls an administrator. */
@Injectable()
export class AdminGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const { headers } = context.switchToHttp().getRequest<{ headers: Record<string, string> }>();
    if (!headers['x-role']) throw new UnauthorizedException('Sign in.');
    return headers['x-role'] === 'admin';
  }
}

export interface AdminSetup extends TestAppOptions {
  readonly admin?: Partial<UploadAdminOptions>;
  readonly film?: Partial<UploadFeature<FilmUpload>>;
}

/** An app with the types `ChunkedUpload` at /upload and `FilmUpload` at /films, and the admin API. */
export function startAdminApp(
  adapter: AdapterName,
  { admin, film, ...options }: AdminSetup = {},
): Promise<TestApp> {
  const resolveUser = (request: unknown) =>
    (request as { headers: Record<string, string | undefined> }).headers['x-user'] ?? null;
  return startTestApp({
    adapter,
    entities: [FilmUpload],
    imports: [
      ChunkedUploadModule.forFeature([{ entity: FilmUpload, path: 'films', ...film }]),
      ChunkedUploadAdminModule.forRoot({ guards: [AdminGuard], ...admin }),
    ],
    ...options,
    upload: { resolveUser, ...options.upload },
  });
}

/** The body of an answer, as tests look at it. */
export interface Body {
  readonly items: readonly Record<string, unknown>[];
  readonly next_cursor: string | null;
  readonly [name: string]: unknown;
}

export interface AdminAnswer extends Omit<Answer, 'body'> {
  readonly body: Body;
}

const ADMIN = { 'x-role': 'admin' };

/** GETs from the admin API, as an administrator. */
export async function look(app: TestApp, path = ''): Promise<AdminAnswer> {
  return (await call(app, `/admin/uploads${path}`, { headers: ADMIN })) as AdminAnswer;
}

/** Sends JSON to the admin API, as an administrator. */
export async function tell(
  app: TestApp,
  path: string,
  json: unknown,
  headers: Record<string, string> = {},
): Promise<AdminAnswer> {
  const body = typeof json === 'string' ? json : JSON.stringify(json);
  const all = { ...ADMIN, 'content-type': 'application/json', ...headers };
  return (await call(app, `/admin/uploads${path}`, { method: 'POST', headers: all, body })) as AdminAnswer;
}

export async function remove(app: TestApp, path: string): Promise<AdminAnswer> {
  return (await call(app, `/admin/uploads${path}`, { method: 'DELETE', headers: ADMIN })) as AdminAnswer;
}

/** Begins an upload of nine bytes with five; returns its id. */
export async function beginUpload(
  app: TestApp,
  { path = '/upload', user = '', filename = 'a.bin' } = {},
): Promise<string> {
  const answer = await put(app, Buffer.from('hello'), {
    path: `${path}?filename=${encodeURIComponent(filename)}`,
    total: 9,
    headers: { 'x-user': user },
  });
  if (answer.status !== 200) throw new Error(`${answer.status} ${answer.bytes.toString()}`);
  return String(answer.body.id);
}

/** Changes rows behind the app's back; `set` is SQL. */
export async function change(app: TestApp, table: string, id: string, set: string): Promise<void> {
  await app.dataSource.query(`UPDATE ${table} SET ${set} WHERE id = $1`, [id]);
}

export const idsOf = ({ body }: AdminAnswer): string[] => body.items.map(({ id }) => String(id));
