import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DataSource } from 'typeorm';
import { createDatabase } from '../../support/test-app.js';

/** Tables as the migrations of the Django apps make them on PostgreSQL. */
const TABLES = {
  dcu: `CREATE TABLE chunked_upload_chunkedupload (
      id serial PRIMARY KEY, upload_id varchar(32) NOT NULL UNIQUE, file varchar(255) NOT NULL,
      filename varchar(255) NOT NULL, "offset" bigint NOT NULL, created_on timestamptz NOT NULL,
      status smallint NOT NULL CHECK (status >= 0), completed_on timestamptz NULL, user_id integer NULL)`,
  drf: `CREATE TABLE drf_chunked_upload_chunkedupload (
      id uuid PRIMARY KEY, file varchar(255) NULL, filename varchar(255) NOT NULL, "offset" bigint NOT NULL,
      created_at timestamptz NOT NULL, status smallint NOT NULL, completed_at timestamptz NULL, user_id integer NOT NULL)`,
  owners: `CREATE TABLE django_content_type (
      id serial PRIMARY KEY, app_label varchar(100) NOT NULL, model varchar(100) NOT NULL);
    CREATE TABLE uploads_videoupload (
      id uuid PRIMARY KEY, file varchar(255) NULL, filename varchar(255) NOT NULL, "offset" bigint NOT NULL,
      created_at timestamptz NOT NULL, status smallint NOT NULL, completed_at timestamptz NULL,
      creator_id integer NULL, owner_type_id integer NULL REFERENCES django_content_type, owner_id integer NULL)`,
  iri: `CREATE TABLE chunked_uploads_upload (
      id serial PRIMARY KEY, user_id integer NOT NULL, uuid varchar(36) NOT NULL UNIQUE, filename varchar(250) NOT NULL,
      filesize integer NOT NULL, upload varchar(250) NOT NULL, md5 varchar(32) NOT NULL, state integer NOT NULL,
      created_at timestamptz NOT NULL);
    CREATE TABLE chunked_uploads_chunk (
      id serial PRIMARY KEY, upload_id integer NOT NULL REFERENCES chunked_uploads_upload, chunk varchar(250) NOT NULL,
      chunk_size integer NOT NULL, created_at timestamptz NOT NULL)`,
};

/** A Django project: its database and its MEDIA_ROOT. */
export class DjangoProject {
  private constructor(
    readonly url: string,
    readonly media: string,
    private readonly source: DataSource,
    private readonly drop: () => Promise<void>,
  ) {}

  static async create(...tables: (keyof typeof TABLES)[]): Promise<DjangoProject> {
    const database = await createDatabase();
    const drop = () => database.drop();
    const source = await new DataSource({ type: 'postgres', url: database.url }).initialize();
    for (const table of tables) await source.query(TABLES[table]);
    const media = await mkdtemp(join(tmpdir(), 'django-media-'));
    return new DjangoProject(database.url, media, source, drop);
  }

  /** Inserts a row, and writes its file where `bytes` are given. */
  async add(table: string, row: Record<string, unknown>, bytes?: string | Buffer): Promise<void> {
    const path = row.file ?? row.upload ?? row.chunk;
    if (bytes !== undefined) await this.write(path as string, bytes);
    const columns = Object.keys(row).map((name) => `"${name}"`);
    const values = columns.map((_, i) => `$${i + 1}`);
    await this.query(
      `INSERT INTO ${table} (${columns.join()}) VALUES (${values.join()})`,
      Object.values(row),
    );
  }

  async write(path: string, bytes: string | Buffer): Promise<void> {
    const full = join(this.media, path);
    await mkdir(dirname(full), { recursive: true });
    await writeFile(full, bytes);
  }

  query(sql: string, parameters: unknown[] = []): Promise<Record<string, unknown>[]> {
    return this.source.query(sql, parameters);
  }

  async remove(): Promise<void> {
    await this.source.destroy();
    await this.drop();
    await rm(this.media, { recursive: true, force: true });
  }
}
