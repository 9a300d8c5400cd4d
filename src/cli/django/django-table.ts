import type { DataSource } from 'typeorm';
import { quote, quotePath } from '../../persistence/row-mapper.js';
import { parseUploadId } from '../../engine/upload-id.js';
import { type DjangoLayout, KNOWN_TABLES, type LayoutName, layoutOf } from './django-layout.js';

const BATCH = 500;

/** Columns of the user: django-chunked-upload and drf-chunked-upload, and its fork with owners. */
const USER_COLUMNS = ['user_id', 'creator_id'];

/** An upload as Django knows it. */
export interface DjangoUpload {
  /** As the column has it, to tell of it. */
  readonly name: string;
  /** As a UUID; null when it is none. */
  readonly id: string | null;
  readonly state: 'uploading' | 'complete' | 'given up';
  readonly filename: string;
  /** Relative to MEDIA_ROOT, one behind the other; empty when the record was kept without its file. */
  readonly files: readonly string[];
  /** Bytes received. */
  readonly received: number;
  /** Declared size in bytes; null while unknown. */
  readonly size: number | null;
  readonly createdAt: Date;
  readonly completedAt: Date | null;
  readonly userId: string | null;
  /** `type` is `<app label>.<model>`. */
  readonly owner: { readonly type: string; readonly id: string } | null;
  /** The stored MD5 of the whole file, where there is one. */
  readonly md5: string | null;
}

/** Which table to read, and how. */
export interface DjangoTableOptions {
  /** With its schema where that is not on the search path. @default the one known table that is there */
  readonly table?: string;
  readonly layout: LayoutName | 'auto';
  /** @default `user_id` or `creator_id`, where there is one */
  readonly userColumn?: string;
}

interface RawUpload {
  readonly key: string;
  readonly name: string;
  readonly file: string | null;
  readonly filename: string;
  readonly received: string | null;
  readonly size: string | null;
  readonly status: number;
  readonly created_at: Date;
  readonly completed_at: Date | null;
  readonly user_id: string | null;
  readonly owner_type: string | null;
  readonly owner_id: string | null;
  readonly md5: string | null;
}

/** A table of uploads in a Django database; it is only read. */
export class DjangoTable {
  private constructor(
    private readonly source: DataSource,
    private readonly table: string,
    private readonly layout: DjangoLayout,
    private readonly statement: string,
  ) {}

  /** @throws Error when the table is not there, or has not the columns. */
  static async open(source: DataSource, options: DjangoTableOptions): Promise<DjangoTable> {
    const table = options.table ?? (await onlyKnownTable(source));
    const columns = await columnsOf(source, table);
    if (columns.size === 0) throw new Error(`There is no table ${table} in the Django database.`);
    if (options.userColumn && !columns.has(options.userColumn)) {
      throw new Error(`The table ${table} has no column ${options.userColumn}.`);
    }
    const layout = layoutOf(columns, options.layout);
    return new DjangoTable(source, table, layout, selectFrom(table, layout, columns, options.userColumn));
  }

  /** All rows by their key, a batch at a time: memory stays flat. */
  async *batches(): AsyncGenerator<DjangoUpload[]> {
    for (let after: string | undefined; ;) {
      const where = after === undefined ? '' : 'WHERE t.id > $1';
      const rows = await this.source.query<RawUpload[]>(
        `${this.statement} ${where} ORDER BY t.id LIMIT ${BATCH}`,
        after === undefined ? [] : [after],
      );
      const last = rows.at(-1);
      if (!last) return;
      yield await Promise.all(rows.map((row) => this.toUpload(row)));
      after = last.key;
    }
  }

  private async toUpload(row: RawUpload): Promise<DjangoUpload> {
    const isComplete = this.layout.complete.includes(row.status);
    const isInChunks = this.layout.received === null && !row.file;
    const chunks = isInChunks ? await this.chunks(row.key) : null;
    return {
      name: row.name,
      id: parseUploadId(row.name),
      state: isComplete ? 'complete' : row.status === 1 ? 'uploading' : 'given up',
      filename: row.filename,
      files: chunks?.files ?? (row.file ? [row.file] : []),
      received: Number(chunks?.bytes ?? row.received ?? row.size),
      size: row.size === null ? null : Number(row.size),
      createdAt: row.created_at,
      completedAt: row.completed_at,
      userId: row.user_id,
      owner:
        row.owner_type !== null && row.owner_id !== null ? { type: row.owner_type, id: row.owner_id } : null,
      md5: row.md5 || null,
    };
  }

  /** Files of an upload that was not put together yet, in the order in which they came. */
  private async chunks(key: string): Promise<{ files: string[]; bytes: string }> {
    const table = quotePath(this.table.replace(/upload$/, 'chunk'));
    const rows = await this.source.query<{ chunk: string; chunk_size: number }[]>(
      `SELECT chunk, chunk_size FROM ${table} WHERE upload_id = $1 ORDER BY id`,
      [key],
    );
    const bytes = rows.reduce((sum, { chunk_size }) => sum + chunk_size, 0);
    return { files: rows.map(({ chunk }) => chunk), bytes: String(bytes) };
  }
}

async function onlyKnownTable(source: DataSource): Promise<string> {
  const columns = await Promise.all(KNOWN_TABLES.map((table) => columnsOf(source, table)));
  const found = KNOWN_TABLES.filter((_, i) => (columns[i]?.size ?? 0) > 0);
  if (found.length === 1) return found[0] as string;
  throw new Error(
    found.length === 0
      ? `There is none of the tables ${KNOWN_TABLES.join(', ')}; name yours with --table.`
      : `There are the tables ${found.join(' and ')}; import one after the other, with --table.`,
  );
}

async function columnsOf(source: DataSource, table: string): Promise<Set<string>> {
  const rows = await source.query<{ name: string }[]>(
    `SELECT attname AS name FROM pg_attribute
     WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped`,
    [quotePath(table)],
  );
  return new Set(rows.map(({ name }) => name));
}

function selectFrom(
  table: string,
  layout: DjangoLayout,
  columns: ReadonlySet<string>,
  userColumn: string | undefined,
): string {
  const hasOwners = columns.has('owner_type_id') && columns.has('owner_id');
  const text = (name: string | null | undefined) => (name ? `t.${quote(name)}::text` : 'NULL');
  const user = userColumn ?? USER_COLUMNS.find((name) => columns.has(name));
  return `SELECT t.id::text AS key, ${text(layout.id)} AS name, ${text(layout.file)} AS file, t.filename,
      ${text(layout.received)} AS received, ${text(layout.size)} AS size, t.${quote(layout.status)}::int AS status,
      t.${quote(layout.createdAt)} AS created_at,
      ${layout.completedAt ? `t.${quote(layout.completedAt)}` : 'NULL::timestamptz'} AS completed_at,
      ${text(user)} AS user_id, ${text(columns.has('md5') ? 'md5' : null)} AS md5,
      ${hasOwners ? `c.app_label || '.' || c.model` : 'NULL'} AS owner_type,
      ${text(hasOwners ? 'owner_id' : null)} AS owner_id
    FROM ${quotePath(table)} t
    ${hasOwners ? 'LEFT JOIN django_content_type c ON c.id = t.owner_type_id' : ''}`;
}
